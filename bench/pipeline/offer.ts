/** Posts events to POST /receive, from so many senders at once, and says when the first of them left. */
import { Pool } from 'undici'

const SENDERS = 32

/** Milliseconds since 1970. Rejects when one is not accepted. */
export async function offer(
  url: string,
  bodies: readonly string[],
  senders = SENDERS,
): Promise<number> {
  const pool = new Pool(url, { connections: senders })
  const rest = bodies.values()
  const post = async () => {
    for (const body of rest) {
      const headers = { 'content-type': 'application/json' }
      const answer = await pool.request({ path: '/receive', method: 'POST', headers, body })
      await answer.body.dump()
      if (answer.statusCode !== 200) throw new Error(`POST /receive answered ${answer.statusCode}`)
    }
  }
  const began = performance.timeOrigin + performance.now()
  try {
    await Promise.all(Array.from({ length: senders }, post))
  } finally {
    await pool.close()
  }
  return began
}
