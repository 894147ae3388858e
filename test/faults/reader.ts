/** People who look while everything breaks: they may be told to wait (503), never that something is wrong inside (500). */
import { setTimeout as sleep } from 'node:timers/promises'
import { SECRETS } from './secrets.ts'

export interface Reader {
  /** `200`, `503`, …, `none` when nobody answered, with how often. */
  readonly answers: ReadonlyMap<string, number>
  /** Answers that no outage excuses, with what was asked. */
  readonly wrong: readonly string[]
  end(): Promise<void>
}

const EXCUSED = [200, 503]

export function startReading(urls: readonly string[]): Reader {
  const answers = new Map<string, number>()
  const wrong: string[] = []
  let ending = false

  async function ask(url: string) {
    const answer = await look(url)
    const name = String(answer?.status ?? 'none')
    answers.set(name, (answers.get(name) ?? 0) + 1)
    if (answer !== undefined && !EXCUSED.includes(answer.status))
      wrong.push(`GET ${new URL(url).pathname}: ${answer.status} ${answer.text.slice(0, 300)}`)
  }

  async function readOn() {
    while (!ending) {
      for (const url of urls) await ask(url)
      await sleep(50)
    }
  }

  const reading = readOn()
  return {
    ...{ answers, wrong },
    end() {
      ending = true
      return reading
    },
  }
}

async function look(url: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const headers = { authorization: `Bearer ${SECRETS.admin}` }
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(60_000) })
    return { status: answer.status, text: await answer.text() }
  } catch {
    return undefined
  }
}
