/** What is counted of joins. */
import type { Log, Metrics } from '@pacifica/platform'
import type { JoinState } from './end.ts'
import type { JoinBacklog } from './list.ts'

/** @returns told of each join that this process has ended */
export function joinMetrics({
  metrics,
  backlog,
  log,
}: {
  readonly metrics: Metrics
  readonly backlog: () => Promise<JoinBacklog>
  readonly log: Log
}): (state: Exclude<JoinState, 'open'>) => void {
  const settled = metrics.counter({
    name: 'pacifica_dispatcher_joins_settled_total',
    help: 'Joins that ended here, by the state they ended in',
    labels: ['state'],
  })
  const read = atOnce(() => readable(backlog, log))
  const shared = (name: string, help: string, of: keyof JoinBacklog) =>
    metrics.gauge({
      name,
      help: `${help}, over all processes; NaN while the database is away`,
      async collect(gauge) {
        gauge.set((await read())[of])
      },
    })
  const open = 'Joins that wait for events, counted up to 10 000'
  shared('pacifica_dispatcher_joins_open', open, 'open')
  shared('pacifica_dispatcher_join_oldest_seconds', 'Age of the oldest open join', 'oldest')
  const overdue = 'How long ago the first deadline was that nobody has seen to'
  shared('pacifica_dispatcher_join_overdue_seconds', overdue, 'overdue')
  return (state) => settled.inc({ state })
}

/** Who asks while the answer is on its way gets the same one. */
function atOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let going: Promise<T> | undefined
  return () => {
    going ??= work().finally(() => {
      going = undefined
    })
    return going
  }
}

/** A database that is away must not take the other metrics with it. */
async function readable(backlog: () => Promise<JoinBacklog>, log: Log): Promise<JoinBacklog> {
  try {
    return await backlog()
  } catch (err) {
    log.warn({ err }, 'metrics.joins_unknown')
    return { open: Number.NaN, oldest: Number.NaN, overdue: Number.NaN }
  }
}
