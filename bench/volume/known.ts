/** Rows that cases ask for: of the user with the most, of one with little, and of those in between. */
import type { Sql } from '@pacifica/platform'
import type { Place } from '../../apps/notifications/src/history/page.ts'
import type { Viewer } from '../../apps/notifications/src/history/viewer.ts'

export interface Known {
  readonly admin: Viewer
  /** Has a tenth of all subscriptions, the largest among them. */
  readonly most: Viewer
  readonly usual: Viewer
  /** The subscription with the most deliveries, and one of the usual size. */
  readonly largest: string
  readonly smaller: string
  /** Of the disabled ones, that with the most that is held. */
  readonly disabled: string
  /** Has many deliveries. */
  readonly event: string
  readonly unmatchable: string
  /** Of the Python service's time. */
  readonly old: string
  readonly letter: string
  /** One that has ended, with samples, and one that has not. */
  readonly backtest: string
  readonly openBacktest: string
  /** A place in the middle of every list, and one near its end. */
  readonly middle: Place
  readonly farBack: Date
  readonly aWeekAgo: Date
}

const ids = `
  SELECT
    (SELECT subscription FROM delivery GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS largest,
    (SELECT subscription FROM delivery WHERE state = 'exhausted' GROUP BY 1 ORDER BY count(*), 1 LIMIT 1) AS smaller,
    (SELECT subscription FROM delivery WHERE state = 'held' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS disabled,
    (SELECT event FROM delivery GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1) AS event,
    (SELECT event FROM event_state WHERE state = 'unmatchable' ORDER BY received DESC LIMIT 1) AS unmatchable,
    (SELECT event_log_id FROM eventlogmatch LIMIT 1) AS old,
    (SELECT uuid FROM dead_letter WHERE state = 'dead' LIMIT 1) AS letter,
    (SELECT uuid FROM backtest_job WHERE state = 'done' ORDER BY created DESC LIMIT 1) AS backtest,
    (SELECT uuid FROM backtest_job WHERE state = 'running' ORDER BY created DESC LIMIT 1) AS "openBacktest",
    extract(epoch FROM now() - interval '45 days')::float8 AS middle`

export async function look(sql: Sql): Promise<Known> {
  type Row = Omit<Known, 'admin' | 'most' | 'usual' | 'middle' | 'farBack' | 'aWeekAgo'>
  const [row] = await sql.query<Row & { middle: number }>(ids)
  if (row === undefined) throw new Error('there is nothing in the tables')
  const day = 86_400_000
  const { middle, ...found } = row
  return {
    ...found,
    admin: { user: 'admin', admin: true },
    most: { user: 'user 0', admin: false },
    usual: { user: 'user 17', admin: false },
    middle: {
      micros: Math.floor(middle * 1_000_000),
      uuid: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
    },
    farBack: new Date(Date.now() - 80 * day),
    aWeekAgo: new Date(Date.now() - 7 * day),
  }
}
