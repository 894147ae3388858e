/** The dispatcher's REST API: the four calls of the Python dispatcher, and what there is to do with a single task. */
import { type Event, EventFormatError, eventsFromHttp } from '@pacifica/core'
import { errorReply, type HttpApp, readRawBodies } from '@pacifica/platform'
import type { StoredPiece } from './log-store.ts'
import type { TaskReader } from './read.ts'
import * as schemas from './schemas.ts'
import type { Accepted } from './store.ts'
import { STATUS_LINES, type TaskState } from './task.ts'
import { parseTaskId, TaskEndedError, TaskNotFoundError } from './task-id.ts'
import { statusOf, type TaskRow, taskEntry, taskView } from './view.ts'

/** Without `limit` a list is cut here, with a link to the rest. */
export const MAX_PAGE = 1_000

/** What the API reads, and the one thing that it changes. */
export interface ShownTasks extends TaskReader {
  /** The state that it is in now; undefined when it had ended before. */
  cancel(id: string): Promise<TaskState | undefined>
  /** All that its runs wrote, the oldest first. */
  log(id: string): Promise<readonly StoredPiece[]>
}

export interface TaskRoutesNeeds extends ShownTasks {
  readonly accept: (event: Event, trace: string | undefined) => Promise<Accepted>
}

const JSON_TYPE = 'application/json; charset=utf-8'
const tags = ['tasks']

export function taskRoutes(
  app: HttpApp,
  needs: TaskRoutesNeeds,
  { dispatcher }: { dispatcher: string },
): void {
  const find = async (text: string): Promise<TaskRow> => {
    const id = parseTaskId(text)
    const row = await needs.find(id)
    if (row === null) throw new TaskNotFoundError(`there is no task ${id}`)
    return row
  }

  app.register(async (scope: HttpApp) => {
    readRawBodies(scope)
    scope.post('/receive', receiveOptions, async (request, reply) => {
      const event = oneEvent(request.headers, request.body)
      const trace = request.headers['traceparent']
      const { taskId } = await needs.accept(event, typeof trace === 'string' ? trace : undefined)
      return reply.type(JSON_TYPE).send(JSON.stringify(taskId))
    })
  })

  app.get('/status/:id', statusOptions, async (request, reply) => {
    const row = await find(request.params.id)
    return reply.type(JSON_TYPE).send(JSON.stringify(statusOf(row)))
  })

  app.get('/get/:id', getOptions, async (request) =>
    taskView(await find(request.params.id), dispatcher),
  )

  app.get('/tasks/:id/log', logOptions, async (request, reply) => {
    const { id } = await find(request.params.id)
    return reply.type('text/plain; charset=utf-8').send(textOf(await needs.log(id)))
  })

  app.delete('/tasks/:id', cancelOptions, async (request, reply) => {
    const { id } = await find(request.params.id)
    const state = await needs.cancel(id)
    const { state: now } = state === undefined ? await find(id) : { state }
    if (state === undefined && now !== 'cancelled') {
      const status = STATUS_LINES[now as TaskState]
      throw new TaskEndedError(`task ${id} has ended already: ${status}`)
    }
    reply.status(now === 'running' ? 202 : 200)
    return { taskID: id, taskStatus: STATUS_LINES[now as TaskState] }
  })

  app.get('/', listOptions, async (request, reply) => {
    const { limit = MAX_PAGE, cursor } = request.query
    const { rows, next } = await needs.page(limit, cursor)
    if (next !== undefined) reply.header('link', `</?limit=${limit}&cursor=${next}>; rel="next"`)
    return rows.map(taskEntry)
  })
}

const receiveOptions = {
  schema: {
    tags,
    summary: 'Give an event to this dispatcher',
    description:
      'Answers with the id of its task once that is committed. The same event again (source, id and bytes) gives the ' +
      'task that it has, unless that one failed: then it gets a new one.',
    consumes: ['application/json', 'application/cloudevents+json'],
    body: schemas.event,
    response: {
      200: schemas.taskId,
      400: errorReply,
      401: errorReply,
      413: errorReply,
      415: errorReply,
      503: errorReply,
    },
  },
  // The schema is for the docs: the body is taken as bytes, and `Event` says better what is wrong with it.
  validatorCompiler: () => () => true,
} as const

export const lookUpErrors = { 401: errorReply, 404: errorReply, 422: errorReply, 503: errorReply }

const statusOptions = {
  schema: {
    tags,
    summary: 'The status of a task',
    params: schemas.taskParams,
    response: { 200: schemas.status, ...lookUpErrors },
  },
} as const

const getOptions = {
  schema: {
    tags,
    summary: 'A task with its event',
    params: schemas.taskParams,
    response: { 200: schemas.task, ...lookUpErrors },
  },
} as const

const logOptions = {
  schema: {
    tags,
    summary: "A task's log",
    description:
      'What its runs wrote to standard output and error, and to the log that handlers are given. Of each run at most ' +
      'DISPATCHER_TASK_LOG is kept: the beginning and the end.',
    params: schemas.taskParams,
    produces: ['text/plain'],
    response: { 200: schemas.log, ...lookUpErrors },
  },
} as const

const cancelOptions = {
  schema: {
    tags,
    summary: 'Cancel a task',
    description:
      'A task that waits is cancelled at once (200); when its event waits in a join, that leaves the join. The handler of one that runs is told to end and, when it does not ' +
      'within DISPATCHER_TASK_GRACE, ended (202); should it come to its end in spite of that, the task is done. Asking ' +
      'again changes nothing; a task that has ended otherwise is 409.',
    params: schemas.taskParams,
    response: {
      200: schemas.cancelled,
      202: schemas.cancelled,
      ...lookUpErrors,
      409: errorReply,
    },
  },
} as const

const listOptions = {
  schema: {
    tags,
    summary: 'The tasks, newest first',
    description: `At most ${MAX_PAGE}; when there are more, the Link header leads on (rel="next").`,
    querystring: schemas.pageQuery,
    response: { 200: schemas.taskList, 400: errorReply, 401: errorReply, 503: errorReply },
  },
} as const

/** Each run under a line of its own. */
function textOf(pieces: readonly StoredPiece[]): string {
  let text = ''
  let run: number | undefined
  for (const piece of pieces) {
    if (piece.claim !== run) {
      const newLine = text === '' || text.endsWith('\n') ? '' : '\n'
      text += `${newLine}── run ${piece.claim}, ${piece.created.toISOString()}\n`
    }
    run = piece.claim
    text += piece.text
  }
  return text
}

function oneEvent(headers: Parameters<typeof eventsFromHttp>[0], body: unknown): Event {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array()
  const [event, ...others] = eventsFromHttp(headers, bytes)
  if (event !== undefined && others.length === 0) return event
  throw new EventFormatError(
    `${others.length + (event ? 1 : 0)} events: send one with each request`,
  )
}
