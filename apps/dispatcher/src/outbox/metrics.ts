/** What is counted of the outbox. */
import type { Log, Metrics, PublishOutcome, Sql } from '@pacifica/platform'
import { MOST_COUNTED, readOutboxBacklog } from './store.ts'

/** Returns what is to be told of each attempt to publish. */
export function outboxMetrics(needs: {
  readonly metrics: Metrics
  readonly sql: Sql
  readonly log: Log
}): (kind: PublishOutcome['kind']) => void {
  const { metrics, sql, log } = needs
  const published = metrics.counter({
    name: 'pacifica_dispatcher_task_events_total',
    help: 'Attempts to publish task events: accepted, unroutable (nobody listens), refused, unknown (no answer in time), or away (no connection)',
    labels: ['outcome'],
  })
  const oldest = metrics.gauge({
    name: 'pacifica_dispatcher_outbox_oldest_seconds',
    help: 'Age of the oldest task event that is not published, over all processes; 0: there is none',
  })
  metrics.gauge({
    name: 'pacifica_dispatcher_outbox_waiting',
    help: `Task events that are not published, over all processes; at most ${MOST_COUNTED} are counted; NaN while the database is away`,
    async collect(gauge) {
      const backlog = await readOutboxBacklog(sql).catch((err) => {
        log.warn({ err }, 'metrics.outbox_unknown')
        return { waiting: Number.NaN, oldest: Number.NaN }
      })
      gauge.set(backlog.waiting)
      oldest.set(backlog.oldest)
    },
  })
  return (outcome) => published.inc({ outcome })
}
