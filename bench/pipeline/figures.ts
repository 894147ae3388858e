/** What rows say about their rounds. */
import type { Ran } from './run.ts'

export function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}

/** Of a processor, for each delivery. */
export function usedOf(runs: readonly Ran[]): string {
  const service = median(runs.map(({ used }) => used.serviceMs))
  const database = median(runs.map(({ used }) => used.databaseMs))
  return `service ${service.toFixed(2)} ms, database ${database.toFixed(2)} ms`
}
