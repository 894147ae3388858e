/** Tasks as operators use them: lists with filters, a single task whole, and the two ways to repeat one. */
import { errorReply, type HttpApp } from '@pacifica/platform'
import * as schemas from './item-schemas.ts'
import { taskDetail, taskItem } from './item-view.ts'
import type { ListedTask, TaskDetail, TaskFilter } from './list.ts'
import type { TaskKind } from './repeat.ts'
import { lookUpErrors } from './routes.ts'
import { taskParams } from './schemas.ts'
import type { Accepted } from './store.ts'
import { STATUS_LINES, type TaskState } from './task.ts'
import { parseTaskId, TaskNotFailedError, TaskNotFoundError } from './task-id.ts'

const DEFAULT_LIMIT = 100

export interface TaskItems {
  list(
    filter: TaskFilter,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<ListedTask[]>
  read(id: string): Promise<TaskDetail | undefined>
  /** Undefined: there is nothing about this task to retry. */
  retry(id: string): Promise<Accepted | undefined>
  /** The dry run's id; undefined: there is no such task. */
  dryRun(id: string): Promise<string | undefined>
}

export function itemRoutes(app: HttpApp, tasks: TaskItems): void {
  const read = async (text: string): Promise<TaskDetail> => {
    const id = parseTaskId(text)
    const task = await tasks.read(id)
    if (task === undefined) throw new TaskNotFoundError(`there is no task ${id}`)
    return task
  }

  app.get('/tasks', listOptions, async (request, reply) => {
    const { limit = DEFAULT_LIMIT, cursor, ...asked } = request.query
    const found = await tasks.list(filterOf(asked), { limit: limit + 1, cursor })
    const rows = found.slice(0, limit)
    const last = rows.at(-1)
    if (found.length > limit && last !== undefined) {
      const next = new URLSearchParams({ ...asked, limit: `${limit}`, cursor: `${last.seq}` })
      reply.header('link', `</tasks?${next}>; rel="next"`)
    }
    return rows.map(taskItem)
  })

  app.get('/tasks/:id', readOptions, async (request) => taskDetail(await read(request.params.id)))

  app.post('/tasks/:id/retry', retryOptions, async (request, reply) => {
    const id = parseTaskId(request.params.id)
    const accepted = await tasks.retry(id)
    if (accepted === undefined) throw notFailed(await read(id))
    const { state } = await read(accepted.taskId)
    reply.status(accepted.isNew ? 201 : 200)
    return { taskID: accepted.taskId, taskStatus: STATUS_LINES[state], repeats: id }
  })

  app.post('/tasks/:id/dry-run', dryRunOptions, async (request, reply) => {
    const id = parseTaskId(request.params.id)
    const dryRun = await tasks.dryRun(id)
    if (dryRun === undefined) throw new TaskNotFoundError(`there is no task ${id}`)
    reply.status(201)
    return { taskID: dryRun, taskStatus: STATUS_LINES.waiting, repeats: id }
  })
}

function notFailed({ id, state, kind }: TaskDetail): TaskNotFailedError {
  const what =
    kind === 'dry-run'
      ? 'is a dry run: ask for another one'
      : `is ${STATUS_LINES[state]}: a task can be retried when it has failed, timed out, was cancelled or had no route; a dry run is always possible`
  return new TaskNotFailedError(`task ${id} ${what}`)
}

interface AskedFilter extends Omit<TaskFilter, 'states' | 'kind' | 'eventId'> {
  readonly state?: string
  readonly kind?: string
  readonly eventID?: string
}

/** The schema has seen to it that states and kinds are known ones. */
function filterOf({ state, kind, eventID, ...same }: AskedFilter): TaskFilter {
  return {
    ...same,
    ...(state === undefined ? {} : { states: state.split(',') as TaskState[] }),
    ...(kind === undefined ? {} : { kind: kind as TaskKind }),
    ...(eventID === undefined ? {} : { eventId: eventID }),
  }
}

const tags = ['tasks']

const listOptions = {
  schema: {
    tags,
    summary: 'The tasks with all that is known of them, newest first',
    description:
      'Filters hold together. When there are more, the Link header leads on (rel="next"). A text is looked for in every ' +
      'task that the other filters leave: give a time or a state with it where there are many.',
    querystring: schemas.tasksQuery,
    response: { 200: schemas.taskItems, 400: errorReply, 401: errorReply, 503: errorReply },
  },
} as const

const readOptions = {
  schema: {
    tags,
    summary: 'A task with its event, its uploads, and what repeats it',
    params: taskParams,
    response: { 200: schemas.taskDetail, ...lookUpErrors },
  },
} as const

const retryOptions = {
  schema: {
    tags,
    summary: 'Retry a task',
    description:
      'A task that failed, timed out, was cancelled or had no route is begun anew as a task of its own (201), to which ' +
      'its deliveries now belong. When a later task of the same event waits, runs or has succeeded, that one is the ' +
      'answer (200), so asking twice does nothing twice. Every other task is 409.',
    params: taskParams,
    response: { 200: schemas.repeated, 201: schemas.repeated, ...lookUpErrors, 409: errorReply },
  },
} as const

const dryRunOptions = {
  schema: {
    tags,
    summary: 'Run the handler again without uploading',
    description:
      'A task of its own, which runs the handler on the stored event as it is now. Its bundles are written into a folder ' +
      'below DATA_DIR and not sent; when it is done, `comparison` of GET /tasks/ID says how they differ from the last ones.',
    params: taskParams,
    response: { 201: schemas.repeated, ...lookUpErrors },
  },
} as const
