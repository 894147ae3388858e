/**
 * /eventmatch/:uuid/secret: what a subscription's deliveries are signed with. The one place where a secret is shown,
 * and to its owner alone.
 */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply, type HttpApp } from '@pacifica/platform'
import type { FastifyReply } from 'fastify'
import type { EventMatch } from '../database/generated/client.ts'
import { newSigningSecret } from '../deliver/signature.ts'
import { type Asking, params, refusals } from './asking.ts'
import type { Secrets } from './auth.ts'
import { SubscriptionForbiddenError } from './own.ts'
import { SecretReply } from './schema.ts'
import type { SubscriptionStore } from './store.ts'

export interface SecretRoutesNeeds {
  readonly store: Pick<SubscriptionStore, 'rotateSigning' | 'stopSigning'>
  readonly secrets: Pick<Secrets, 'sealSigning' | 'openSigning'>
}

export class SigningOffError extends Error {
  readonly code = 'SIGNING_OFF'
  constructor(uuid: string) {
    super(`deliveries of ${uuid} are not signed: POST /eventmatch/${uuid}/secret makes a secret`)
  }
}

/** As the column `signing` holds them, newest first. */
interface SigningSecret {
  readonly secret: string
  readonly created: string
  /** Null for the current one. */
  readonly until: string | null
}

const tags = ['subscriptions']

export function secretRoutes(app: HttpApp, needs: SecretRoutesNeeds, asking: Asking): void {
  const response = { 200: SecretReply, ...refusals }
  app.get(
    '/eventmatch/:uuid/secret',
    {
      schema: {
        tags,
        summary: 'The secret that deliveries are signed with',
        params,
        response: { ...response, 404: errorReply, 409: errorReply },
      },
    },
    async (request, reply) =>
      shown(reply, needs, await asking.own(request, request.params.uuid), 'stored'),
  )

  app.post(
    '/eventmatch/:uuid/secret',
    {
      schema: {
        tags,
        summary: 'Sign deliveries, or change the secret',
        description:
          'A new secret from now on. The one before it goes on signing beside it for 24 h: until then receivers ' +
          'accept deliveries with either.',
        params,
        response,
      },
    },
    async (request, reply) => {
      const { uuid } = await asking.own(request, request.params.uuid)
      const secret = newSigningSecret()
      const row = await needs.store.rotateSigning(uuid, needs.secrets.sealSigning(uuid, secret))
      if (row === undefined) throw new SubscriptionForbiddenError(uuid)
      request.log.info({ subscription: uuid }, 'subscription.secret_changed')
      return shown(reply, needs, row, secret)
    },
  )

  app.delete(
    '/eventmatch/:uuid/secret',
    {
      schema: {
        tags,
        summary: 'Sign deliveries no more',
        params,
        response: {
          200: Type.Unsafe<void>({ type: 'null', description: 'Not signed; the body is empty.' }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { uuid } = await asking.own(request, request.params.uuid)
      await needs.store.stopSigning(uuid)
      request.log.info({ subscription: uuid }, 'subscription.secret_removed')
      return reply.send()
    },
  )
}

/** `secret`: the one just made, or `stored` to open what the row holds. */
function shown(
  reply: FastifyReply,
  { secrets }: SecretRoutesNeeds,
  row: EventMatch,
  secret: string,
) {
  const [current, ...others] = (row.signing ?? []) as unknown as SigningSecret[]
  if (current === undefined) throw new SigningOffError(row.uuid)
  reply.header('cache-control', 'no-store')
  return {
    secret: secret === 'stored' ? secrets.openSigning(row.uuid, current.secret) : secret,
    created: iso(current.created),
    previous: others.flatMap(({ created, until }) =>
      until === null || Date.parse(until) <= Date.now()
        ? []
        : [{ created: iso(created), until: iso(until) }],
    ),
  }
}

function iso(time: string): string {
  return new Date(time).toISOString()
}
