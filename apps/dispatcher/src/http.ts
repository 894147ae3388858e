/** The dispatcher's HTTP side: its routes, and which error is which status. */
import {
  createHttpApp,
  type ErrorTable,
  type Health,
  type HttpApp,
  isUnavailable,
  type Lifetime,
  type Listening,
  type Log,
  listen,
  type Metrics,
} from '@pacifica/platform'
import type { DispatcherConfig } from './config.ts'
import { dispatcherSecurity, type Guard } from './guard.ts'
import { joinRoutes, type ShownJoins } from './joins/routes.ts'
import { type AcceptNeeds, acceptPosted } from './tasks/accept.ts'
import { itemRoutes, type TaskItems } from './tasks/item-routes.ts'
import { type ShownTasks, taskRoutes } from './tasks/routes.ts'
import { VERSION } from './version.ts'

const ERRORS: ErrorTable = {
  EVENT_FORMAT: 400,
  EVENT_MEDIA_TYPE: 415,
  TASK_ID: 422,
  TASK_NOT_FOUND: 404,
  TASK_ENDED: 409,
  TASK_NOT_FAILED: 409,
  JOIN_NOT_FOUND: 404,
  JOIN_ENDED: 409,
  TOKEN: 401,
  DATABASE_AWAY: 503,
}

export class DatabaseAwayError extends Error {
  readonly code = 'DATABASE_AWAY'
  constructor(cause: unknown) {
    super('the database of the dispatcher is away: nothing was taken; try again', { cause })
  }
}

export interface ApiNeeds {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  readonly accept: AcceptNeeds
  readonly tasks: ShownTasks & TaskItems
  readonly joins: ShownJoins
  /** Undefined: everybody who reaches the port may ask. */
  readonly guard?: Guard | undefined
}

/** The app, not listening yet: what the tests inject into. */
export async function dispatcherApp(
  { accept, tasks, joins, guard, ...needs }: ApiNeeds,
  { name, bodyLimit }: { name: string; bodyLimit: number },
): Promise<HttpApp> {
  const app = await createHttpApp(needs, {
    title: `Pacifica dispatcher: ${name}`,
    version: VERSION,
    description: 'Takes events for one dispatcher and shows what became of them.',
    bodyLimit,
    errors: ERRORS,
    security: dispatcherSecurity(guard),
  })
  app.register(async (scope: HttpApp) => {
    // Of the tasks alone: health, metrics and the description are open.
    if (guard !== undefined) scope.addHook('onRequest', async (request) => guard(request))
    taskRoutes(
      scope,
      {
        accept: (event, trace) => answering(() => acceptPosted(accept, event, trace)),
        find: (id) => answering(() => tasks.find(id)),
        page: (limit, cursor) => answering(() => tasks.page(limit, cursor)),
        cancel: (id) => answering(() => tasks.cancel(id)),
        log: (id) => answering(() => tasks.log(id)),
      },
      { dispatcher: name },
    )
    itemRoutes(scope, {
      list: (filter, page) => answering(() => tasks.list(filter, page)),
      read: (id) => answering(() => tasks.read(id)),
      retry: (id) => answering(() => tasks.retry(id)),
      dryRun: (id) => answering(() => tasks.dryRun(id)),
    })
    joinRoutes(scope, {
      defined: joins.defined,
      list: (filter, page) => answering(() => joins.list(filter, page)),
      read: (id) => answering(() => joins.read(id)),
      cancel: (id) => answering(() => joins.cancel(id)),
    })
  })
  return app
}

/** A database that is away is no fault of the request: 503, so that the client tries again. */
async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseAwayError(error) : error
  }
}

export async function serveApi(
  { life, ...needs }: ApiNeeds & { readonly life: Lifetime },
  { name, config }: { name: string; config: DispatcherConfig },
): Promise<Listening> {
  const app = await dispatcherApp(needs, { name, bodyLimit: config.maxBody })
  return await listen(
    { app, life },
    {
      host: config.host,
      port: config.port,
      hostVariable: 'DISPATCHER_HOST',
      portVariable: 'DISPATCHER_PORT',
    },
  )
}
