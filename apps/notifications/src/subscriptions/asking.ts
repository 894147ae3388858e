/** What every route of a subscription needs to know: whose request it is, and which of their subscriptions it is about. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import type { EventMatch } from '../database/generated/client.ts'
import { viewerOf } from '../history/viewer.ts'
import type { Identify } from '../identity/index.ts'
import { ownSubscription, SubscriptionForbiddenError } from './own.ts'
import type { SubscriptionStore } from './store.ts'

export interface Asking {
  readonly user: (request: FastifyRequest) => string
  /** The caller's own, not an admin's view of another's. @throws BadUuidError, SubscriptionForbiddenError */
  readonly own: (request: FastifyRequest, text: string) => Promise<EventMatch>
}

export function createAsking(needs: {
  readonly store: Pick<SubscriptionStore, 'find'>
  readonly identify: Identify
}): Asking {
  const find = ownSubscription(needs)
  return {
    user: (request) => viewerOf(needs.identify, request).user,
    async own(request, text) {
      const { viewer, subscription } = await find(request, text)
      if (subscription.user !== viewer.user) throw new SubscriptionForbiddenError(subscription.uuid)
      return subscription
    },
  }
}

/** What each of these routes may refuse with. */
export const refusals = { 400: errorReply, 401: errorReply, 403: errorReply, 503: errorReply }

export const params = Type.Object({
  uuid: Type.String({
    description: 'Of the subscription, in any usual spelling: capitals, braces, without dashes.',
    examples: ['2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11'],
  }),
})
