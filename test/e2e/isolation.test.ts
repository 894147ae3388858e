/** Handlers in processes of their own, one at a time: what they see, how they end, and that nothing is left of them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Event,
  ServiceAnswerError,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { childProcessIsolation } from '../../apps/dispatcher/src/isolation/child-process.ts'
import type { ProcessRecord } from '../../apps/dispatcher/src/isolation/process-tree.ts'
import { createRunners } from '../../apps/dispatcher/src/runners.ts'
import { silentLog as log } from '../harness/index.ts'
import { untilNoProcessHas } from './processes.ts'

const ROOT = join(import.meta.dirname, '../..')
const never = new AbortController().signal

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isolation-'))
})
afterEach(async () => {
  // What a run has started carries its scratch folder in its environment.
  await untilNoProcessHas(folder)
  await rm(folder, { recursive: true })
})

class Uploads extends UploaderRunner {
  failure: Error | undefined
  seen: Record<string, string> = {}

  override async upload(from: string, options: UploadOptions): Promise<UploadResult> {
    if (this.failure !== undefined) throw this.failure
    this.seen = JSON.parse(await readFile(join(from, 'seen.json'), 'utf8'))
    await options.onJob?.(7)
    options.onNews?.('open tar 100 %')
    return { bundle: undefined, jobId: 7, state: {} }
  }
}

/** Runs the handler for events of this type, and notes all that comes of it. */
function start(type: string, uploader = new Uploads()) {
  const [stop, force] = [new AbortController(), new AbortController()]
  const notes = { out: '', err: '', log: '', progress: [] as unknown[] }
  const records: ProcessRecord[] = []
  const line =
    (level: string) =>
    (message: string, fields: object = {}) => {
      notes.log += `${level} ${message} ${JSON.stringify(fields)}\n`
    }
  const isolation = childProcessIsolation(
    { log },
    {
      program: join(ROOT, 'apps/dispatcher/dist/isolation/child/main.js'),
      nodeFlags: [],
      module: './odd.mjs',
      workingFolder: join(import.meta.dirname, 'dispatchers'),
      env: { PATH: process.env['PATH'], HOME: '/home/joe', SECRET: 'secret', SHOWN: 'shown' },
      envNames: ['SHOWN'],
    },
  )
  const outcome = isolation.run(
    {
      taskId: 'T-1',
      event: Event.parse(JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type })),
      ...{ folder, provenance: [], uploader, force: force.signal },
      downloader: createRunners({ cartdUrl: undefined, ingestUrl: undefined }).downloader,
      notes: {
        log: { info: line('info'), warn: line('warn'), error: line('error') },
        output: (stream, text) => {
          notes[stream] += text
        },
        progress: (progress) => void notes.progress.push(progress),
        process: async (record) => void records.push(record),
      },
    },
    stop.signal,
  )
  return { outcome, notes, records, stop, force, uploader }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('a handler sees its event, its folder and what the operator shows it, and is heard', async () => {
  const { outcome, notes, records, uploader } = start('good')
  expect(await outcome).toEqual({ kind: 'done' })
  expect(uploader.seen).toEqual({
    ...{ SHOWN: 'shown', HOME: '/home/joe' },
    ...{ here: folder, temporary: join(folder, 'tmp') },
  })
  expect(notes.out).toBe('to standard output\n')
  expect(notes.err).toBe('to standard error\n')
  expect(notes.log).toContain('info to the log {"taskId":"T-1","aborted":false,"open":"open() {')
  expect(notes.log).toContain('info job 7')
  expect(notes.log).toContain('info open tar 100 %')
  expect(notes.progress).toEqual([{ step: 'counting', done: 1, total: 2 }])
  expect(records).toEqual([
    {
      ...{ host: expect.any(String), group: expect.any(Number) },
      ...{ started: expect.any(Number), mark: expect.any(String) },
    },
  ])
})

test('what a handler has started ends with it', async () => {
  const { outcome } = start('helpers')
  expect(await outcome).toEqual({ kind: 'done' })
  await untilNoProcessHas(folder)
})

test.each([
  ['throws', { kind: 'threw', failure: { type: 'TypeError', value: /model is missing/ } }],
  ['later', { kind: 'threw', failure: { type: 'RetryableError' }, retry: { afterMs: 1_234 } }],
  ['thrownLater', { kind: 'threw', failure: { type: 'RangeError', value: /by a timer/ } }],
  ['exits', { kind: 'threw', failure: { type: 'TaskProcessExitError', value: /exit code 3/ } }],
  ['killed', { kind: 'crashed', failure: { type: 'TaskProcessKilledError', value: /SIGKILL/ } }],
  ['terminated', { kind: 'done' }],
  ['elsewhere', { kind: 'threw', failure: { type: 'OutsideScratchError', value: /\/etc is not/ } }],
  ['nowhere', { kind: 'unrouted', failure: { type: 'RouteNotFoundRouterError' } }],
])('a handler that is "%s" has its outcome', async (type, { failure, ...outcome }: Expected) => {
  const run = start(type)
  const { value, ...rest } = failure ?? {}
  expect(await run.outcome).toMatchObject({
    ...outcome,
    ...(failure && { failure: { ...rest, ...(value && { value: expect.stringMatching(value) }) } }),
  })
})

interface Expected {
  readonly failure?: { readonly type: string; readonly value?: RegExp }
  readonly [member: string]: unknown
}

test("a handler may go by the class of an error that the supervisor's transfer met", async () => {
  const uploader = new Uploads()
  uploader.failure = new ServiceAnswerError('POST /upload', 502, 'bad gateway')
  const { outcome, notes } = start('refused', uploader)
  expect(await outcome).toMatchObject({
    ...{ kind: 'threw', failure: { type: 'ServiceAnswerError' }, retry: {} },
  })
  expect(notes.log).toContain('ServiceAnswerError SERVICE_ANSWER 502')
})

test('a handler that listens ends when it is asked to', async () => {
  const { outcome, notes, stop } = start('listens')
  await until(() => notes.out !== '')
  stop.abort(new Error('enough'))
  expect(await outcome).toMatchObject({ kind: 'threw', failure: { value: 'enough' } })
})

test.each(['busy', 'deaf'])(
  'a handler that is %s is ended by force, with all it has started',
  async (type) => {
    const { outcome, notes, stop, force } = start(type)
    await until(() => notes.out !== '')
    stop.abort(new Error('enough'))
    force.abort()
    expect(await outcome).toMatchObject({ kind: 'crashed' })
    await untilNoProcessHas(folder)
  },
)

test('a module that cannot be loaded is a failure that says so, and a program that cannot is one too', async () => {
  const options = { nodeFlags: [], env: {}, envNames: [], workingFolder: ROOT }
  const job = {
    ...{ taskId: 'T-1', folder, provenance: [], uploader: new Uploads(), force: never },
    event: Event.parse('{"specversion":"1.0","id":"1","source":"/s","type":"t"}'),
    downloader: createRunners({ cartdUrl: undefined, ingestUrl: undefined }).downloader,
    notes: {
      log: { info() {}, warn() {}, error() {} },
      output() {},
      progress() {},
      process: async () => {},
    },
  }
  const run = (program: string, module: string) =>
    childProcessIsolation({ log }, { ...options, program, module }).run(job, never)
  const main = join(ROOT, 'apps/dispatcher/dist/isolation/child/main.js')
  expect(await run(main, './missing.mjs')).toMatchObject({
    kind: 'threw',
    failure: { value: expect.stringContaining('DISPATCHER_MODULE ./missing.mjs cannot be loaded') },
  })
  expect(await run(join(ROOT, 'missing.js'), 'x')).toMatchObject({
    kind: 'threw',
    failure: { type: 'TaskProcessExitError' },
  })
})
