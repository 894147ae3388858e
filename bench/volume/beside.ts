/** Work that goes on beside a purge, and how long each piece of it takes: with and without. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Worker {
  readonly name: string
  readonly work: () => Promise<unknown>
}

export interface Latencies {
  readonly times: number
  /** Milliseconds: half of them took less, 99 of a hundred, and the longest. */
  readonly half: number
  readonly most: number
  readonly longest: number
}

/** Between two pieces of a worker's work: it has no more to do than a busy site. */
const PAUSE_MS = 20

/** All of them at once, each one piece after the other, until `until` has come. */
export async function timed(
  workers: readonly Worker[],
  until: Promise<unknown>,
): Promise<ReadonlyMap<string, Latencies>> {
  let over = false
  const end = () => {
    over = true
  }
  until.then(end, end)
  const taken = await Promise.all(
    workers.map(async ({ name, work }) => {
      const times: number[] = []
      do {
        const began = performance.now()
        await work()
        times.push(performance.now() - began)
        await sleep(PAUSE_MS)
      } while (!over)
      return [name, latenciesOf(times)] as const
    }),
  )
  await until
  return new Map(taken)
}

export function latenciesOf(times: readonly number[]): Latencies {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  return { times: sorted.length, half: at(0.5), most: at(0.99), longest: sorted.at(-1) ?? 0 }
}
