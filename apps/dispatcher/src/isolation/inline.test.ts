import { tmpdir } from 'node:os'
import {
  defineDispatcher,
  Event,
  EventHandler,
  ExceptionEventHandler,
  NoopEventHandler,
  type TaskContext,
  Transaction,
  TransactionKeyValue,
  UploaderRunner,
  type UploadOptions,
} from '@pacifica/core'
import { createLog } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { createRunners } from '../runners.ts'
import { inlineIsolation } from './inline.ts'

const log = createLog({ name: 'test', level: 'silent' })
const never = new AbortController().signal
const event = Event.parse(
  JSON.stringify({ specversion: '1.0', id: 'E-1', source: '/s', type: 'wanted' }),
)

class Uploads extends UploaderRunner {
  readonly folders: string[] = []
  readonly keyValues: unknown[] = []
  override async upload(folder: string, options: UploadOptions) {
    this.folders.push(folder)
    this.keyValues.push(options.keyValues)
    return { bundle: undefined, jobId: undefined, state: {} }
  }
}

class Calling extends EventHandler {
  readonly #work: (context: TaskContext) => unknown
  constructor(work: (context: TaskContext) => unknown) {
    super()
    this.#work = work
  }
  override async handle(_event: Event, context: TaskContext) {
    await this.#work(context)
  }
}

const provenance = [new TransactionKeyValue({ key: 'pacifica-dispatcher.task', value: 'T-1' })]
const noted: unknown[] = []
const notes = {
  taken: async (taken: unknown) => void noted.push(taken),
  bundle: async (made: unknown) => void noted.push(made),
}

function run(handler: EventHandler, { path = '$', holds = true, uploader = new Uploads() } = {}) {
  const { downloader } = createRunners({ cartdUrl: undefined, ingestUrl: undefined })
  const dispatcher = defineDispatcher({ name: 'example', routes: [{ path, handler }] })
  const isolation = inlineIsolation({ dispatcher, downloader, uploaderFor: () => uploader, log })
  const job = {
    taskId: 'T-1',
    event,
    folder: tmpdir(),
    provenance,
    holds: async () => holds,
    notes,
  }
  return isolation.run(job, never)
}

test('the handler of the first route that matches gets the event', async () => {
  const called: string[] = []
  const noting = (name: string) => new Calling(() => called.push(name))
  const { downloader } = createRunners({ cartdUrl: undefined, ingestUrl: undefined })
  const dispatcher = defineDispatcher({
    name: 'example',
    routes: [
      { path: '$["no such member"]', handler: noting('none') },
      { path: '$["eventType"]', handler: noting('first') },
      { path: '$', handler: noting('second') },
    ],
  })
  const uploaderFor = () => new Uploads()
  const isolation = inlineIsolation({ dispatcher, downloader, uploaderFor, log })
  const job = {
    taskId: 'T-1',
    event,
    folder: tmpdir(),
    provenance: [],
    holds: async () => true,
    notes,
  }
  expect(await isolation.run(job, never)).toEqual({ kind: 'done' })
  expect(called).toEqual(['first'])
})

test('an event without a route says so as the Python dispatcher does', async () => {
  const outcome = await run(new NoopEventHandler(), { path: '$["no such member"]' })
  expect(outcome).toEqual({
    kind: 'unrouted',
    failure: { type: 'RouteNotFoundRouterError', value: 'route not found', traceback: '' },
  })
})

test('a handler that throws ends its task with what it threw', async () => {
  const outcome = await run(new ExceptionEventHandler())
  expect(outcome).toMatchObject({ kind: 'threw', failure: { type: 'ExceptionEventHandlerError' } })
})

test.each([['a string'], [undefined], [null], [{ code: 7 }]])(
  'a handler that throws %s, no error at all, ends its task too',
  async (thrown) => {
    const throwing = new Calling(() => {
      throw thrown
    })
    expect(await run(throwing)).toMatchObject({ kind: 'threw' })
  },
)

test('a result is uploaded while the task is ours, and not when somebody else has it', async () => {
  const uploader = new Uploads()
  const upload = new Calling(({ uploader, folder }) =>
    uploader.upload(folder, { transaction: new Transaction({}), keyValues: [] }),
  )
  expect(await run(upload, { uploader })).toEqual({ kind: 'done' })
  expect(await run(upload, { uploader, holds: false })).toMatchObject({
    kind: 'threw',
    failure: { type: 'LeaseLostError' },
  })
  expect(uploader.folders).toHaveLength(1)
})

test('without CARTD_URL a download fails and names the variable', async () => {
  const download = new Calling(({ downloader, folder }) => downloader.download(folder, []))
  expect(await run(download)).toMatchObject({
    kind: 'threw',
    failure: { type: 'NotConfiguredError', value: expect.stringContaining('CARTD_URL is not set') },
  })
})

test('a result has its provenance although the handler did not think of it', async () => {
  const uploader = new Uploads()
  const tag = new TransactionKeyValue({ key: 'tag', value: 'a' })
  const options = { transaction: new Transaction({ submitter: 10 }), keyValues: [tag] }
  const forgetful = new Calling((context) => context.uploader.upload('result', options))
  expect(await run(forgetful, { uploader })).toEqual({ kind: 'done' })
  expect(uploader.keyValues).toEqual([[tag, ...provenance]])
})
