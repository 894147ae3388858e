/** What the intake counts; the events themselves are counted as those of POST /receive are. */
import type { Counter, Metrics } from '@pacifica/platform'

export interface IntakeMetrics {
  readonly messages: Counter<'outcome'>
  readonly deadLetters: Counter<'reason'>
}

export function intakeMetrics(metrics: Metrics): IntakeMetrics {
  return {
    messages: metrics.counter({
      name: 'pacifica_intake_messages_total',
      help: 'Messages of pacifica.receive: accepted, refused (dead letters), or returned to come again',
      labels: ['outcome'],
    }),
    deadLetters: metrics.counter({
      name: 'pacifica_dead_letters_total',
      help: 'Dead letters taken from the broker, by the reason for which they died',
      labels: ['reason'],
    }),
  }
}
