/** Policy and targets (floors/policy-and-target.ts) as a process, and what has come there. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { spawnTypeScript } from '../../test/harness/index.ts'

export interface Site {
  readonly port: number
  /** Where Policy is. */
  readonly policy: string
  /** From now on so many deliveries are waited for. */
  begin(deliveries: number): Promise<void>
  /** When they have come: the first and the last, in milliseconds since 1970. */
  end(): Promise<{ readonly first: number; readonly last: number; readonly seen: number }>
  close(): Promise<void>
}

export async function startSite(): Promise<Site> {
  const child = spawnTypeScript(new URL('../floors/policy-and-target.ts', import.meta.url))
  const ended = once(child, 'exit')
  const [line] = await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')
  const url = `http://127.0.0.1:${line}`
  return {
    port: Number(line),
    policy: url,
    async begin(deliveries) {
      await fetch(`${url}/begin/${deliveries}`, { method: 'POST' })
    },
    async end() {
      const answer = await fetch(`${url}/end`, { method: 'POST' })
      return (await answer.json()) as { first: number; last: number; seen: number }
    },
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
