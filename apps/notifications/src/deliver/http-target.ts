/**
 * Delivery to an HTTP URL: one POST through the egress client, which refuses what a subscriber must not reach.
 */
import type { Egress, EgressOutcome } from '@pacifica/platform'
import { type Auth, authorizationHeader } from '../subscriptions/secrets.ts'
import type { ClaimedDelivery } from './claim.ts'
import type { Outcome } from './delivery.ts'
import { parseRetryAfter } from './retry.ts'
import type { Target } from './target.ts'

export interface HttpTargetNeeds {
  readonly egress: Egress
  /** The subscription's `auth` with its secrets opened; throws when they cannot be read. */
  readonly openAuth: (delivery: ClaimedDelivery) => Auth
  /** Milliseconds since the epoch: a Retry-After may name a date. */
  readonly now: () => number
}

export function httpTarget(needs: HttpTargetNeeds, options: { timeoutMs: number }): Target {
  return {
    async send(delivery, body, signal) {
      const authorization = authorizationHeader(needs.openAuth(delivery))
      const answer = await needs.egress.post(delivery.targetUrl, {
        headers: {
          'content-type': 'application/json',
          // The same for every attempt: a receiver drops what it has seen.
          'webhook-id':
            delivery.replay === 0 ? delivery.uuid : `${delivery.uuid}-${delivery.replay}`,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body,
        timeoutMs: options.timeoutMs,
        signal,
      })
      return outcome(answer, needs.now())
    },
  }
}

/** Success is 2xx alone. 410 is final, a redirect is a failure that says where it pointed, all else is tried again. */
export function outcome(answer: EgressOutcome, now: number): Outcome {
  switch (answer.kind) {
    case 'response':
      return fromResponse(answer, now)
    case 'timeout':
    case 'forbidden':
    case 'failed':
      return { kind: 'unreachable', reason: answer.reason }
    case 'aborted':
      return answer.sent ? { kind: 'unreachable', reason: STOPPED } : { kind: 'unsent' }
  }
}

const STOPPED = 'this service was stopped before the target had answered'

function fromResponse(answer: Extract<EgressOutcome, { kind: 'response' }>, now: number): Outcome {
  const { status, body } = answer
  if (status >= 200 && status < 300) return { kind: 'accepted', status, body }
  if (status === 410) return { kind: 'gone', status, body, reason: 'the target answered 410 Gone' }
  const where =
    status >= 300 && status < 400 ? `, a redirect to ${answer.headers.location ?? 'nowhere'}` : ''
  const reason = `the target answered ${status}${where}`
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], now)
  return {
    kind: 'refused',
    status,
    body,
    reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}
