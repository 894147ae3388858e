/** What rows say about their rounds. */
import { medianOf } from '../figures.ts'
import type { Ran } from './run.ts'

/** Of a processor, for each delivery. */
export function usedOf(runs: readonly Ran[]): string {
  const service = medianOf(runs.map(({ used }) => used.serviceMs))
  const database = medianOf(runs.map(({ used }) => used.databaseMs))
  return `service ${service.toFixed(2)} ms, database ${database.toFixed(2)} ms`
}
