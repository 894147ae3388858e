import { tmpdir } from 'node:os'
import {
  defineDispatcher,
  Event,
  EventHandler,
  ExceptionEventHandler,
  NoopEventHandler,
  RetryableError,
  type TaskContext,
  UploaderRunner,
} from '@pacifica/core'
import { expect, test } from 'vitest'
import { createRunners } from '../runners.ts'
import { inlineIsolation } from './inline.ts'

const never = new AbortController().signal
const event = Event.parse(
  JSON.stringify({ specversion: '1.0', id: 'E-1', source: '/s', type: 'wanted' }),
)

class Uploads extends UploaderRunner {
  readonly folders: string[] = []
  override async upload(folder: string) {
    this.folders.push(folder)
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

const quiet = { info() {}, warn() {}, error() {} }
const notes = { log: quiet, output() {}, progress() {}, process: async () => {} }

function jobWith(uploader: UploaderRunner) {
  const { downloader } = createRunners({ cartdUrl: undefined, ingestUrl: undefined })
  const parts = { downloader, uploader, notes, force: never }
  return { taskId: 'T-1', event, folder: tmpdir(), provenance: [], ...parts }
}

function run(handler: EventHandler, { path = '$', uploader = new Uploads() } = {}) {
  const dispatcher = defineDispatcher({ name: 'example', routes: [{ path, handler }] })
  return inlineIsolation({ dispatcher }).run(jobWith(uploader), never)
}

test('the handler of the first route that matches gets the event', async () => {
  const called: string[] = []
  const noting = (name: string) => new Calling(() => called.push(name))
  const dispatcher = defineDispatcher({
    name: 'example',
    routes: [
      { path: '$["no such member"]', handler: noting('none') },
      { path: '$["eventType"]', handler: noting('first') },
      { path: '$', handler: noting('second') },
    ],
  })
  const isolation = inlineIsolation({ dispatcher })
  expect(await isolation.run(jobWith(new Uploads()), never)).toEqual({ kind: 'done' })
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

test('a handler may say that its failure is worth another try', async () => {
  const busy = new Calling(() => {
    throw new RetryableError('the licence server is busy', { retryAfterMs: 7_000 })
  })
  expect(await run(busy)).toMatchObject({ kind: 'threw', retry: { afterMs: 7_000 } })
})

test('without CARTD_URL a download fails and names the variable', async () => {
  const download = new Calling(({ downloader, folder }) => downloader.download(folder, []))
  expect(await run(download)).toMatchObject({
    kind: 'threw',
    failure: { type: 'NotConfiguredError', value: expect.stringContaining('CARTD_URL is not set') },
  })
})
