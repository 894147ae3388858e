/**
 * Delivery to a dispatcher: the event is published to the dispatcher's queue. It is delivered when the broker has it.
 */
import type { Transport } from '@pacifica/platform'
import type { Outcome } from './delivery.ts'
import { dispatcherOf, type Target } from './target.ts'

export function dispatchTarget(
  needs: { transport: Transport },
  options: { timeoutMs: number },
): Target {
  return {
    async send(delivery, body, signal): Promise<Outcome> {
      const dispatcher = dispatcherOf(delivery.targetUrl)
      if (dispatcher === undefined)
        return { kind: 'impossible', reason: `${delivery.targetUrl} names no dispatcher` }
      if (signal.aborted) return { kind: 'unsent' }
      const { uuid: deliveryId, replay, digest, trace } = delivery
      const traced = trace ? { traceparent: trace } : {}
      const message = { deliveryId, replay, digest, body, ...traced }
      const published = await needs.transport.publish(dispatcher, message, {
        timeoutMs: options.timeoutMs,
        signal,
      })
      switch (published.kind) {
        case 'accepted':
          return { kind: 'accepted', status: null, body: null }
        case 'away':
          return published
        case 'unroutable':
        case 'refused':
        case 'unknown':
          return { kind: 'unreachable', reason: published.reason }
      }
    },
  }
}
