/** An event that was read, whichever way it came, on its way to be durable: counted, timed and told. */
import type { Event } from '@pacifica/core'
import type { Log } from '@pacifica/platform'
import type { AcceptMetrics } from './metrics.ts'
import type { Received, Receiver } from './receive.ts'
import type { Form } from './request.ts'
import { attributesForLog, tellCollision } from './tell.ts'

export interface TakeNeeds {
  readonly receiver: Receiver
  readonly acceptMetrics: AcceptMetrics
}

/** Resolves when it is durable. @throws SpoolFullError, SpoolUnwritableError */
export async function takeEvent(
  { receiver, acceptMetrics: metrics }: TakeNeeds,
  event: Event,
  how: { form: Form; log: Pick<Log, 'info' | 'warn'>; trace?: string | undefined },
): Promise<Received> {
  const { form, log } = how
  const began = performance.now()
  const received = await receiver.receive(event, how.trace)
  count(metrics, event, received, { form, seconds: (performance.now() - began) / 1_000 })
  const { uuid, outcome, trace } = received
  const { source, id, type } = attributesForLog(event)
  log.info({ event: uuid, source, id, type, outcome, trace }, 'event.accepted')
  tellCollision({ log, metrics }, event, received)
  return received
}

function count(
  metrics: AcceptMetrics,
  event: Event,
  { outcome }: Received,
  how: { form: Form; seconds: number },
): void {
  metrics.accepted.inc({ spec_version: event.specVersion, form: how.form })
  metrics.seconds.observe({ outcome: outcome === 'spooled' ? 'spooled' : 'stored' }, how.seconds)
  if (outcome === 'repeated') metrics.repeated.inc()
  if (outcome === 'spooled') metrics.spooled.inc()
}
