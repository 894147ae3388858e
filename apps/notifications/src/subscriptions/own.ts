/** The subscription that a request is about: the caller's own; an admin's requests may be about anybody's. */
import type { FastifyRequest } from 'fastify'
import type { EventMatch } from '../database/generated/client.ts'
import { type Viewer, viewerOf } from '../history/viewer.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from './check.ts'
import type { SubscriptionStore } from './store.ts'

/** Unknown, deleted and another user's are all the same to the caller. */
export class SubscriptionForbiddenError extends Error {
  readonly code = 'SUBSCRIPTION_FORBIDDEN'
  constructor(uuid: string) {
    super(`you have no subscription ${uuid}`)
  }
}

export class BadUuidError extends Error {
  readonly code = 'BAD_UUID'
  constructor(text: string) {
    super(`'${text}' is no uuid; one looks like 2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11`)
  }
}

export interface Own {
  readonly viewer: Viewer
  readonly subscription: EventMatch
}

/** @throws BadUuidError; SubscriptionForbiddenError alike for unknown, deleted and another user's */
export function ownSubscription(needs: {
  store: Pick<SubscriptionStore, 'find'>
  identify: Identify
}): (request: FastifyRequest, text: string) => Promise<Own> {
  return async (request, text) => {
    const viewer = viewerOf(needs.identify, request)
    const uuid = canonicalUuid(text)
    if (uuid === undefined) throw new BadUuidError(text)
    const subscription = await needs.store.find(uuid)
    if (subscription === undefined || (subscription.user !== viewer.user && !viewer.admin))
      throw new SubscriptionForbiddenError(uuid)
    return { viewer, subscription }
  }
}
