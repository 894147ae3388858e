/**
 * Delivery to an HTTP URL: one POST through the egress client, which refuses what a subscriber must not reach.
 */
import type { Egress, EgressOutcome } from '@pacifica/platform'
import type { Secrets } from '../subscriptions/auth.ts'
import { authorizationHeader, UnreadableSecretError } from '../subscriptions/secrets.ts'
import type { ClaimedDelivery } from './claim.ts'
import type { Outcome } from './delivery.ts'
import { parseRetryAfter } from './retry.ts'
import { webhookHeaders } from './signature.ts'
import type { Target } from './target.ts'

export interface HttpTargetNeeds {
  readonly egress: Egress
  /** Opens the subscription's secrets; throws when they cannot be read. */
  readonly secrets: Pick<Secrets, 'openAuth' | 'openSigning'>
  /** Milliseconds since the epoch: a Retry-After may name a date. */
  readonly now: () => number
}

export function httpTarget(needs: HttpTargetNeeds, options: { timeoutMs: number }): Target {
  return {
    async send(delivery, body, signal) {
      const { subscription: uuid, auth } = delivery
      const authorization = authorizationHeader(needs.secrets.openAuth({ uuid, auth }))
      const webhook = webhookHeaders({
        id: webhookId(delivery),
        timestamp: Math.floor(needs.now() / 1000),
        body,
        secrets: signingSecrets(needs, delivery),
      })
      const answer = await needs.egress.post(delivery.targetUrl, {
        headers: {
          'content-type': 'application/json',
          ...webhook,
          ...(delivery.trace ? { traceparent: delivery.trace } : {}),
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

/** The same for every attempt: a receiver drops what it has seen. */
function webhookId({ uuid, replay }: ClaimedDelivery): string {
  return replay === 0 ? uuid : `${uuid}-${replay}`
}

/** The current one must be readable; one that was rotated out and is lost is left out. */
function signingSecrets({ secrets }: HttpTargetNeeds, delivery: ClaimedDelivery): string[] {
  return delivery.signing.flatMap((sealed, place) => {
    try {
      return [secrets.openSigning(delivery.subscription, sealed)]
    } catch (error) {
      if (place > 0 && error instanceof UnreadableSecretError) return []
      throw error
    }
  })
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

const LONGEST_LOCATION = 500
const STOPPED = 'this service was stopped before the target had answered'

function fromResponse(answer: Extract<EgressOutcome, { kind: 'response' }>, now: number): Outcome {
  const { status, body } = answer
  if (status >= 200 && status < 300) return { kind: 'accepted', status, body }
  if (status === 410) return { kind: 'gone', status, body, reason: 'the target answered 410 Gone' }
  const where =
    status >= 300 && status < 400
      ? `, a redirect to ${answer.headers.location?.slice(0, LONGEST_LOCATION) ?? 'nowhere'}: redirects are not followed`
      : ''
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
