/** POST /eventmatch/explain: why an event matched, or why it did not. */
import type { Static } from '@fastify/type-provider-typebox'
import { Event, EventFormatError } from '@pacifica/core'
import {
  type CompiledPath,
  type Dialect,
  type Explanation,
  JsonPathLimitError,
  JsonPathSyntaxError,
  UNEXPLAINED,
} from '@pacifica/jsonpath'
import { errorReply, type HttpApp, type Sql } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import type { PolicyClient } from '../authorize/policy-client.ts'
import type { EventMatch } from '../database/generated/client.ts'
import { findContent } from '../history/find-event.ts'
import { EventNotFoundError } from '../history/routes.ts'
import { type Viewer, viewerOf } from '../history/viewer.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from './check.ts'
import { explain } from './explain.ts'
import { askPolicy, type PolicySaid, storedPolicy } from './explain-policy.ts'
import { ExplainBody, ExplainReply, type Told } from './explain-schema.ts'
import { ownSubscription } from './own.ts'
import type { SubscriptionStore } from './store.ts'
import { compileSubscription, type Version } from './subscription.ts'

/** There is nothing to explain with, or its expression is no expression. */
export class ExplainError extends Error {
  readonly code = 'EXPLAIN_INVALID'
  readonly errors: readonly { path: string; message: string }[]
  constructor(path: string, message: string, options: ErrorOptions = {}) {
    super(`${path.slice(1)}: ${message}`, options)
    this.errors = [{ path, message }]
  }
}

export interface ExplainNeeds {
  readonly sql: Sql
  readonly identify: Identify
  readonly subscriptions: SubscriptionStore
  readonly policy: PolicyClient
  readonly stopping: AbortSignal
}

export function explainRoute(app: HttpApp, needs: ExplainNeeds): void {
  app.post(
    '/eventmatch/explain',
    {
      schema: {
        tags: ['subscriptions'],
        summary: 'Why an event matches an expression, or does not',
        description:
          'Gives the values that the expression selects or the first clause that failed and what stood there; what ' +
          'Policy says; and warnings. Of an event that was accepted here nothing is told before Policy has said yes ' +
          'to you. Nothing is stored and nothing is sent.',
        body: ExplainBody,
        response: {
          200: ExplainReply,
          400: errorReply,
          401: errorReply,
          403: errorReply,
          404: errorReply,
          415: errorReply,
          503: errorReply,
        },
      },
    },
    async (request) => explained(needs, request, request.body),
  )
}

async function explained(
  needs: ExplainNeeds,
  request: FastifyRequest,
  body: ExplainBody,
): Promise<Static<typeof ExplainReply>> {
  const viewer = viewerOf(needs.identify, request)
  const subscription = await subscriptionOf(needs, request, body)
  const version = body.version ?? (subscription?.version as Version | undefined) ?? 'v0.1'
  const expression = expressionOf(body, subscription)
  const given = await eventOf(needs.sql, body.event, viewer)
  const owner = subscription?.user ?? viewer.user
  const policy = body.policy
    ? await askPolicy(needs, owner, given.text)
    : await storedPolicy(needs.sql, given.uuid, owner)
  const justAllowed = policy?.fresh && policy.state === 'allowed' && owner === viewer.user
  const readable = given.readable || justAllowed === true
  const explanation = readable ? explainText(expression, given.text, version) : hidden(policy)
  return {
    ...(explanation as Static<typeof Told>),
    jsonpath: expression.text,
    dialect: expression.dialect,
    version,
    warnings: expression.warnings.map(({ code, message, offset }) => ({ code, message, offset })),
    event: given.uuid ?? null,
    subscription: subscription?.uuid ?? null,
    policy: policy ?? null,
  }
}

async function subscriptionOf(
  needs: ExplainNeeds,
  request: FastifyRequest,
  body: ExplainBody,
): Promise<EventMatch | undefined> {
  if (body.subscription !== undefined) {
    const own = ownSubscription({ store: needs.subscriptions, identify: needs.identify })
    return (await own(request, body.subscription)).subscription
  }
  if (body.jsonpath === undefined)
    throw new ExplainError('/jsonpath', "is missing: give an expression, or a subscription's uuid")
  return undefined
}

function expressionOf(body: ExplainBody, subscription: EventMatch | undefined): CompiledPath {
  const dialect = body.dialect ?? (subscription?.dialect as Dialect | undefined) ?? 'jsonpath2'
  const text = body.jsonpath ?? subscription?.jsonpath ?? ''
  try {
    return compileSubscription(text, dialect)
  } catch (cause) {
    if (!(cause instanceof JsonPathSyntaxError || cause instanceof JsonPathLimitError)) throw cause
    const message = cause.hint ? `${cause.message}; ${cause.hint}` : cause.message
    throw new ExplainError(body.jsonpath === undefined ? '/subscription' : '/jsonpath', message, {
      cause,
    })
  }
}

interface Given {
  readonly uuid: string | undefined
  readonly text: string
  /** The viewer may see it: it is theirs, or Policy has said yes. */
  readonly readable: boolean
}

async function eventOf(sql: Sql, event: ExplainBody['event'], viewer: Viewer): Promise<Given> {
  if (typeof event !== 'string') {
    const { text } = Event.parse(JSON.stringify(event))
    return { uuid: undefined, text, readable: true }
  }
  const uuid = canonicalUuid(event)
  const stored = uuid && (await findContent(sql, uuid, viewer))
  if (!stored) throw new EventNotFoundError(event)
  return { uuid: stored.uuid, text: stored.jsondata, readable: stored.readable }
}

function explainText(expression: CompiledPath, text: string, version: Version): Explanation {
  try {
    return explain(expression, Event.parse(text), version)
  } catch (error) {
    if (!(error instanceof EventFormatError)) throw error
    return { ...UNEXPLAINED, error: `the stored event cannot be read: ${error.message}` }
  }
}

function hidden(policy: PolicySaid | undefined): Explanation {
  const next = policy?.fresh ? '' : '; "policy": true asks now'
  return {
    ...UNEXPLAINED,
    error: `Policy has not said that you may see this event, so nothing is told about it${next}`,
  }
}
