/** What every route of a subscription needs to know: whose request it is, and which of their subscriptions it is about. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import type { EventMatch } from '../database/generated/client.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from './check.ts'
import type { SubscriptionStore } from './store.ts'

export interface Asking {
  readonly user: (request: FastifyRequest) => string
  /** @throws BadUuidError, SubscriptionForbiddenError */
  readonly own: (request: FastifyRequest, text: string) => Promise<EventMatch>
}

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

export function createAsking(needs: {
  readonly store: Pick<SubscriptionStore, 'find'>
  readonly identify: Identify
}): Asking {
  const user = (request: FastifyRequest): string =>
    needs.identify({ remoteAddress: request.ip, headers: request.headers }).user
  return {
    user,
    async own(request, text) {
      const owner = user(request)
      const uuid = canonicalUuid(text)
      if (uuid === undefined) throw new BadUuidError(text)
      const row = await needs.store.find(uuid)
      if (row === undefined || row.user !== owner) throw new SubscriptionForbiddenError(uuid)
      return row
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
