/** What accepting counts. */
import type { Counter, Histogram, Metrics } from '@pacifica/platform'

export interface AcceptMetrics {
  readonly accepted: Counter<'spec_version' | 'form'>
  readonly repeated: Counter
  readonly collisions: Counter
  readonly spooled: Counter
  readonly takenIn: Counter<'outcome'>
  readonly setAside: Counter
  readonly refused: Counter<'status'>
  readonly seconds: Histogram<'outcome'>
}

const BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]

export function acceptMetrics(metrics: Metrics): AcceptMetrics {
  return {
    accepted: metrics.counter({
      name: 'pacifica_events_accepted_total',
      help: 'Events answered with 200: stored, repeated or spooled',
      labels: ['spec_version', 'form'],
    }),
    repeated: metrics.counter({
      name: 'pacifica_events_repeated_total',
      help: 'Events that had been stored before, and were answered with the first id',
    }),
    collisions: metrics.counter({
      name: 'pacifica_events_collided_total',
      help: 'New events with the source and id of an earlier one, but another body',
    }),
    spooled: metrics.counter({
      name: 'pacifica_events_spooled_total',
      help: 'Events accepted into the spool because the database did not take them',
    }),
    takenIn: metrics.counter({
      name: 'pacifica_events_taken_in_total',
      help: 'Spooled events brought to the database: stored, or repeated when they were there already',
      labels: ['outcome'],
    }),
    setAside: metrics.counter({
      name: 'pacifica_spool_set_aside_total',
      help: 'Parts of spool files that could not be read or stored, kept in set-aside',
    }),
    refused: metrics.counter({
      name: 'pacifica_receive_refused_total',
      help: 'Requests to /receive answered with an error, by status',
      labels: ['status'],
    }),
    seconds: metrics.histogram({
      name: 'pacifica_receive_seconds',
      help: 'From an event read until it is durable: in the database (stored) or in the spool (spooled)',
      labels: ['outcome'],
      buckets: BUCKETS_SECONDS,
    }),
  }
}

/** What lies in the spool when somebody asks. */
export function spoolMetrics(
  metrics: Metrics,
  waiting: () => { files: number; bytes: number; setAside: number },
): void {
  metrics.gauge({
    name: 'pacifica_spool_files',
    help: 'Files in the spool that wait for the database',
    collect: (gauge) => gauge.set(waiting().files),
  })
  metrics.gauge({
    name: 'pacifica_spool_bytes',
    help: 'Bytes in the spool that wait for the database',
    collect: (gauge) => gauge.set(waiting().bytes),
  })
  metrics.gauge({
    name: 'pacifica_spool_set_aside_files',
    help: 'Files in set-aside, which somebody should look at',
    collect: (gauge) => gauge.set(waiting().setAside),
  })
}
