/** The role `intake`: what this process takes from the broker. Without a broker there is nothing to take. */
import type { Consumer, Health, Intake, Lifetime, Log, Metrics, Sql } from '@pacifica/platform'
import type { TakeNeeds } from '../accept/take.ts'
import type { Availability } from '../database/availability.ts'
import { takeDead } from '../dead/take.ts'
import { intakeMetrics } from './metrics.ts'
import { receiveMessage } from './receive-message.ts'

export interface IntakeNeeds extends TakeNeeds {
  readonly intake: Intake
  readonly life: Lifetime
  readonly log: Log
  readonly health: Health
  readonly database: Sql
  readonly availability: Availability
  readonly metrics: Metrics
}

/** Call it after what it accepts into was opened: it is closed before that. A broker that is away is waited for. */
export function startIntake(needs: IntakeNeeds, { maxBody }: { maxBody: number }): void {
  const { intake, log, availability } = needs
  const metrics = intakeMetrics(needs.metrics)
  const received = receiveMessage({ ...needs, metrics }, { maxBody })
  start(needs, 'pacifica.receive', intake.received(received))
  const dead = takeDead({ sql: needs.database, availability, metrics, log }, { maxBody })
  start(needs, 'pacifica.dead', intake.dead(dead))
}

function start(
  { life, log, health }: Pick<IntakeNeeds, 'life' | 'log' | 'health'>,
  queue: string,
  starting: Promise<Consumer>,
): void {
  let consumer: Consumer | undefined
  const started = starting.then(
    (it) => {
      consumer = it
    },
    (err) => log.error({ err, queue }, 'intake.not_started'), // the transport is being closed
  )
  life.onClose(`intake from ${queue}`, async () => {
    await started
    await consumer?.stop()
  })
  health.add(`intake from ${queue}`, () =>
    consumer?.consuming ? undefined : 'takes nothing: the log says why, in lines like broker.lost',
  )
}
