/** /eventmatch/UUID/recover: ask for a recovery, watch it, end it. */
import { Type } from '@fastify/type-provider-typebox'
import { type Bell, errorReply, type HttpApp, type Sql } from '@pacifica/platform'
import {
  DEFAULT_LIMIT,
  nextLink,
  pageHeaders,
  pageOf,
  pageQuery,
  readCursor,
} from '../history/page.ts'
import type { Replayable } from '../history/replay.ts'
import { range } from '../history/times.ts'
import type { Identify } from '../identity/index.ts'
import { refusals } from '../subscriptions/asking.ts'
import { canonicalUuid } from '../subscriptions/check.ts'
import { type Own, ownSubscription } from '../subscriptions/own.ts'
import type { SubscriptionStore } from '../subscriptions/store.ts'
import { cancelJob, createJob, findJob, listJobs, type RecoverJob } from './job-store.ts'
import { jobView, RecoverBody, RecoverReply } from './view.ts'

export class RecoveryNotFoundError extends Error {
  readonly code = 'RECOVERY_NOT_FOUND'
  constructor(uuid: string) {
    super(`this subscription has no recovery ${uuid}; GET …/recover lists those it has`)
  }
}

export interface RecoverRoutesNeeds {
  readonly sql: Sql
  readonly identify: Identify
  readonly subscriptions: SubscriptionStore
  readonly recoverBell: Bell
}

type Needs = RecoverRoutesNeeds & { readonly own: ReturnType<typeof ownSubscription> }

const DEFAULT_STATES: readonly Replayable[] = ['exhausted', 'failed']
const tags = ['subscriptions']
const params = Type.Object({ uuid: Type.String({ description: 'The subscription.' }) })
const jobParams = Type.Object({
  uuid: Type.String({ description: 'The subscription.' }),
  job: Type.String({ description: 'The recovery.' }),
})

export function recoverRoutes(app: HttpApp, needs: RecoverRoutesNeeds): void {
  const own = ownSubscription({ store: needs.subscriptions, identify: needs.identify })
  startRoute(app, { ...needs, own })
  listRoute(app, { ...needs, own })
  jobRoutes(app, { ...needs, own })
}

function startRoute(app: HttpApp, needs: Needs): void {
  app.post(
    '/eventmatch/:uuid/recover',
    {
      schema: {
        tags,
        summary: 'Send the deliveries of a time range again',
        description:
          'Answers at once; a worker sends them anew, oldest first, a few at a time, so that live deliveries do not ' +
          'wait. Policy is asked again as for every delivery. One recovery of a subscription at a time.',
        params,
        body: RecoverBody,
        response: { 202: RecoverReply, 409: errorReply, 415: errorReply, ...refusals },
      },
    },
    async (request, reply) => {
      const { subscription, viewer } = await needs.own(request, request.params.uuid)
      const { states = DEFAULT_STATES } = request.body
      const { since = new Date(0), until } = range(request.body, '')
      const asked = { subscription: subscription.uuid, askedBy: viewer.user, since, until, states }
      const job = await createJob(needs.sql, asked)
      needs.recoverBell.ring()
      request.log.info({ recovery: job.uuid, ...asked, total: job.total }, 'recovery.created')
      return reply.code(202).send(jobView(job))
    },
  )
}

function listRoute(app: HttpApp, needs: Needs): void {
  app.get(
    '/eventmatch/:uuid/recover',
    {
      schema: {
        tags,
        summary: 'The recoveries of a subscription, newest first',
        params,
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: {
          200: { ...Type.Array(RecoverReply), headers: pageHeaders },
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { subscription } = await needs.own(request, request.params.uuid)
      const { limit = DEFAULT_LIMIT, cursor } = request.query
      const rows = await listJobs(needs.sql, subscription.uuid, {
        after: readCursor(cursor),
        limit,
      })
      const page = pageOf(rows, limit, (row) => row)
      return reply.headers(nextLink(request.query, page.next)).send(page.rows.map(jobView))
    },
  )
}

function jobRoutes(app: HttpApp, needs: Needs): void {
  const find = async ({ subscription }: Own, text: string): Promise<RecoverJob> => {
    const uuid = canonicalUuid(text)
    const job = uuid && (await findJob(needs.sql, subscription.uuid, uuid))
    if (!job) throw new RecoveryNotFoundError(text)
    return job
  }
  const response = { 200: RecoverReply, 404: errorReply, ...refusals }
  app.get(
    '/eventmatch/:uuid/recover/:job',
    { schema: { tags, summary: 'How far a recovery is', params: jobParams, response } },
    async (request) =>
      jobView(await find(await needs.own(request, request.params.uuid), request.params.job)),
  )
  app.delete(
    '/eventmatch/:uuid/recover/:job',
    {
      schema: {
        tags,
        summary: 'End a recovery',
        description: 'What it has sent anew stays so. One that has ended already is left as it is.',
        params: jobParams,
        response,
      },
    },
    async (request) => {
      const own = await needs.own(request, request.params.uuid)
      const job = await find(own, request.params.job)
      const reason = `ended by ${own.viewer.user}`
      const ended = await cancelJob(needs.sql, own.subscription.uuid, job.uuid, reason)
      if (ended)
        request.log.info({ recovery: job.uuid, user: own.viewer.user }, 'recovery.cancelled')
      return jobView(ended ?? (await find(own, job.uuid)))
    },
  )
}
