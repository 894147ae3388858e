/** How many dead letters wait for somebody to decide. */
import type { Metrics, Sql } from '@pacifica/platform'
import { orAbsent } from '../metrics.ts'

/** Beyond this it only says "at least so many". */
const MOST_COUNTED = 10_000

const WAITING = `
  SELECT count(*) AS count FROM (SELECT FROM dead_letter WHERE state = 'dead' LIMIT ${MOST_COUNTED}) AS waiting`

export function deadLetterGauge(needs: { metrics: Metrics; sql: Sql }): void {
  needs.metrics.gauge({
    name: 'pacifica_dead_letters_waiting',
    help: `Dead letters about which nobody has decided; at most ${MOST_COUNTED} are counted`,
    collect: orAbsent(async (gauge) => {
      const [row] = await needs.sql.query<{ count: number }>(WAITING)
      gauge.set(row?.count ?? 0)
    }),
  })
}
