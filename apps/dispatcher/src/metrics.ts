/** What the dispatcher counts. */
import type { Log, Metrics } from '@pacifica/platform'
import type { Backlog } from './tasks/store.ts'
import type { Settlement } from './tasks/task.ts'

export interface TaskMetrics {
  onAccepted(seconds: number): void
  onSettled(settlement: Settlement): void
}

/** @param backlog asked when somebody reads the metrics; the other numbers are this process's own */
export function taskMetrics(needs: {
  readonly metrics: Metrics
  readonly backlog: () => Promise<Backlog>
  readonly inHand: () => number
  readonly bytesInHand: () => number
  readonly log: Log
}): TaskMetrics {
  const { metrics, backlog, inHand, bytesInHand, log } = needs
  const accepted = metrics.histogram({
    name: 'pacifica_dispatcher_accept_seconds',
    help: 'From an event read to its task committed',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  })
  const settled = metrics.counter({
    name: 'pacifica_dispatcher_tasks_settled_total',
    help: 'Tasks that ended here, by the state they ended in (waiting: handed back; retrying: to be tried again)',
    labels: ['state'],
  })
  metrics.gauge({
    name: 'pacifica_dispatcher_tasks_in_hand',
    help: 'Tasks running in this process',
    collect: (gauge) => gauge.set(inHand()),
  })
  metrics.gauge({
    name: 'pacifica_dispatcher_bytes_in_hand',
    help: 'Bytes of input files that the tasks running in this process have together',
    collect: (gauge) => gauge.set(bytesInHand()),
  })
  const oldest = metrics.gauge({
    name: 'pacifica_dispatcher_oldest_waiting_seconds',
    help: 'Age of the oldest task that waits for a worker, over all processes',
  })
  metrics.gauge({
    name: 'pacifica_dispatcher_tasks',
    help: 'Tasks that have not ended, by state, over all processes; NaN while the database is away',
    labels: ['state'],
    async collect(gauge) {
      const { waiting, running, retrying, oldest: age } = await readable(backlog, log)
      gauge.set({ state: 'waiting' }, waiting)
      gauge.set({ state: 'running' }, running)
      gauge.set({ state: 'retrying' }, retrying)
      oldest.set(age)
    },
  })
  return {
    onAccepted: (seconds) => accepted.observe(seconds),
    onSettled: ({ state }) => settled.inc({ state }),
  }
}

/** A database that is away must not take the other metrics with it. */
async function readable(backlog: () => Promise<Backlog>, log: Log): Promise<Backlog> {
  try {
    return await backlog()
  } catch (err) {
    log.warn({ err }, 'metrics.backlog_unknown')
    const unknown = Number.NaN
    return { waiting: unknown, running: unknown, retrying: unknown, oldest: unknown }
  }
}
