/** /eventmatch/backtest: try a draft on the past, watch it, end it. */
import { Type } from '@fastify/type-provider-typebox'
import { type Bell, type Database, errorReply, type HttpApp } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import {
  DEFAULT_LIMIT,
  nextLink,
  pageHeaders,
  pageOf,
  pageQuery,
  readCursor,
} from '../history/page.ts'
import { range } from '../history/times.ts'
import { type Viewer, viewerOf } from '../history/viewer.ts'
import type { Identify } from '../identity/index.ts'
import { refusals } from '../subscriptions/asking.ts'
import { canonicalUuid, checkDraft } from '../subscriptions/check.ts'
import { schemaMistakes } from '../subscriptions/routes.ts'
import { BacktestBody, DEFAULT_SAMPLES } from './draft-schema.ts'
import { BacktestNotFoundError } from './errors.ts'
import {
  cancelJob,
  createJob,
  findJob,
  type Job,
  listJobs,
  MOST_ENDED,
  type NewJob,
  removeJob,
  samplesOf,
} from './job-store.ts'
import { jobView, summaryView } from './view.ts'
import { BacktestReply, BacktestSummary } from './view-schema.ts'

export interface BacktestRoutesNeeds {
  readonly database: Database
  readonly identify: Identify
  readonly backtestBell: Pick<Bell, 'ring'>
}

const tags = ['subscriptions']
const params = Type.Object({ job: Type.String({ description: 'The backtest.' }) })
const PATH = '/eventmatch/backtest'

export function backtestRoutes(app: HttpApp, needs: BacktestRoutesNeeds): void {
  startRoute(app, needs)
  listRoute(app, needs)
  jobRoutes(app, needs)
}

function startRoute(app: HttpApp, needs: BacktestRoutesNeeds): void {
  app.post(
    PATH,
    {
      attachValidation: true,
      schema: {
        tags,
        summary: 'Try an expression on events of the past',
        description:
          'Answers at once; a worker goes through the events of the period, newest first, at a share of its time. Only ' +
          'events that Policy lets you see are looked into, so Policy is asked about every event of the period on which ' +
          'no answer is on record, at most as often as the site allows. Nothing is delivered. As for POST /eventmatch, ' +
          'all mistakes of the draft are told at once. 429: too many of yours, or of all, have not ended.',
        body: BacktestBody,
        response: {
          202: {
            ...BacktestReply,
            headers: { location: Type.String({ description: 'Where it can be watched.' }) },
          },
          ...{ 413: errorReply, 415: errorReply, 429: errorReply, ...refusals },
        },
      },
    },
    async (request, reply) => {
      const asked = jobFrom(request, request.body, viewerOf(needs.identify, request))
      const job = await createJob(needs.database, asked)
      needs.backtestBell.ring()
      const { uuid, askedBy, owner, since, until } = job
      request.log.info({ backtest: uuid, askedBy, owner, since, until }, 'backtest.created')
      return reply.code(202).header('location', `${PATH}/${uuid}`).send(jobView(job, []))
    },
  )
}

/** @throws InvalidSubscriptionError with all mistakes of the draft; BadTimeError */
function jobFrom(request: FastifyRequest, body: BacktestBody, viewer: Viewer): NewJob {
  const named: unknown = (body as { user?: unknown } | null)?.user
  const owner = viewer.admin && typeof named === 'string' ? named : viewer.user
  checkDraft(body, { user: owner }, schemaMistakes(request))
  const { since = new Date(0), until } = range(body, '')
  return {
    askedBy: viewer.user,
    owner,
    seesAll: viewer.admin,
    name: body.name ?? null,
    jsonpath: body.jsonpath,
    dialect: body.dialect ?? 'jsonpath2',
    version: body.version ?? 'v0.1',
    samples: body.samples ?? DEFAULT_SAMPLES,
    policy: body.policy ?? true,
    ...{ since, until },
  }
}

function listRoute(app: HttpApp, { database, identify }: BacktestRoutesNeeds): void {
  app.get(
    PATH,
    {
      schema: {
        tags,
        summary: 'Your backtests, newest first',
        description: `Of those that have ended the newest ${MOST_ENDED} are kept, for as long as the site says.`,
        querystring: Type.Object(pageQuery, { additionalProperties: false }),
        response: { 200: { ...Type.Array(BacktestSummary), headers: pageHeaders }, ...refusals },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(identify, request)
      const { limit = DEFAULT_LIMIT, cursor } = request.query
      const rows = await listJobs(database, viewer, { after: readCursor(cursor), limit })
      const page = pageOf(rows, limit, (row) => row)
      return reply.headers(nextLink(request.query, page.next)).send(page.rows.map(summaryView))
    },
  )
}

function jobRoutes(app: HttpApp, needs: BacktestRoutesNeeds): void {
  const { database, identify } = needs
  const find = async (text: string, viewer: Viewer): Promise<Job> => {
    const uuid = canonicalUuid(text)
    const job = uuid && (await findJob(database, uuid))
    if (!job || !maySee(job, viewer)) throw new BacktestNotFoundError(text)
    return job
  }
  const view = async (job: Job) => jobView(job, await samplesOf(database, job.uuid))
  const response = { 200: BacktestReply, 404: errorReply, ...refusals }
  app.get(
    `${PATH}/:job`,
    { schema: { tags, summary: 'What a backtest has found so far', params, response } },
    async (request) => view(await find(request.params.job, viewerOf(identify, request))),
  )
  app.delete(
    `${PATH}/:job`,
    {
      schema: {
        tags,
        summary: 'End a backtest, or remove it',
        description:
          'One that has not ended is cancelled, and what it has found stays; one that has ended is removed, and shown ' +
          'for the last time.',
        params,
        response,
      },
    },
    async (request) => {
      const viewer = viewerOf(identify, request)
      const job = await find(request.params.job, viewer)
      const isOpen = job.finished === null
      if (isOpen) await cancelJob(database, job.uuid, `ended by ${viewer.user}`)
      const shown = await view(await find(job.uuid, viewer))
      if (!isOpen) await removeJob(database, job.uuid)
      const what = isOpen ? 'backtest.cancelled' : 'backtest.removed'
      request.log.info({ backtest: job.uuid, user: viewer.user }, what)
      return shown
    },
  )
}

/** One that was made as an admin shows what only admins may see. */
function maySee({ askedBy, seesAll }: Job, viewer: Viewer): boolean {
  return viewer.admin || (askedBy === viewer.user && !seesAll)
}
