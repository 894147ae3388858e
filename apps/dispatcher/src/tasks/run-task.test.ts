import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Isolation } from '../isolation/isolation.ts'
import { createRunners } from '../runners.ts'
import { type RunTaskNeeds, runTask } from './run-task.ts'
import { openScratch, type Scratch } from './scratch.ts'
import { LeaseLostError, TaskCancelledError } from './stop-reasons.ts'

const log = createLog({ name: 'test', level: 'silent' })
const event = JSON.stringify({ specversion: '1.0', id: 'E-1', source: '/s', type: 't' })
const task = {
  id: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b',
  claim: 1,
  attempts: 1,
  retries: 0,
  cancelled: false,
  process: null,
  event,
  trace: null,
  kind: 'event' as const,
  repeats: null,
  size: 0,
  joinRun: null,
}
const never = new AbortController().signal
let base: string
let scratch: Scratch

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'run-task-'))
  scratch = await openScratch({ log }, base)
})
afterEach(() => rm(base, { recursive: true }))

interface Settings {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  readonly graceMs?: number
  readonly forceMs?: number
  readonly text?: string
  readonly cancelled?: boolean
  readonly size?: number
  readonly maxBytes?: number
  readonly place?: RunTaskNeeds['place']
}

function run(isolated: Isolation['run'], settings: Settings = {}) {
  const { signal = never, timeoutMs = 60_000, graceMs = 60_000, forceMs = 60_000 } = settings
  const { place = async () => undefined } = settings
  const { text = event, cancelled = false, size = 0, maxBytes = 1_000_000 } = settings
  const rows = {
    uploads: async () => [],
    markUpload: async () => true,
    taken: async () => {},
    noteCart: async () => true,
    forgetCart: async () => {},
    progress: async () => {},
    process: async () => true,
    appendLog: async () => {},
    lastUploads: async () => ({ task: null, uploads: [] }),
    compared: async () => true,
    joined: async () => ({ join: 'pair', key: 'k', events: {} }),
  }
  const needs = {
    dispatcher: 'example',
    isolation: { run: isolated },
    scratch,
    runners: createRunners({ cartdUrl: undefined, ingestUrl: undefined }),
    metadata: undefined,
    place,
    rowsOf: () => rows,
    log,
  }
  const limits = { timeoutMs, graceMs, hurriedGraceMs: graceMs, forceMs }
  const options = {
    ...{ limits, maxDownload: 1_000, maxLog: 1_000, unsureMs: 0, dryRunFolder: base },
    ...{ maxInput: 1_000, quota: { maxBytes, everyMs: 5 } },
  }
  return runTask(needs, options, { ...task, event: text, cancelled, size }, signal)
}

/** Listens, as a good handler does: ends by throwing when it is told to. */
const listening: Isolation['run'] = (_job, signal) =>
  new Promise((resolve) => {
    const failure = { type: 'Error', value: 'told to end', traceback: '' }
    signal.addEventListener('abort', () => resolve({ kind: 'threw', failure }))
  })

/** Never ends, whatever it is told. */
const deaf: Isolation['run'] = () => new Promise(() => {})

test('a run is given its event, its notes and a folder, which is gone afterwards', async () => {
  const outcome = await run(async (job) => {
    expect(job).toMatchObject({ taskId: task.id, event: { id: 'E-1' } })
    expect(job.provenance.map(({ value }) => value)).toEqual([task.id, 'example'])
    expect(await readdir(job.folder)).toEqual([])
    return { kind: 'done' }
  })
  expect(outcome).toEqual({ kind: 'done' })
  expect(await readdir(base)).toEqual([])
})

const noHandler: Isolation['run'] = () => Promise.reject(new Error('a handler was run'))

test('an event that goes into a join needs no handler, no folder and no room', async () => {
  const outcome = await run(noHandler, { size: 1_001, place: async () => ({ kind: 'joined' }) })
  expect(outcome).toEqual({ kind: 'joined' })
  expect(await readdir(base)).toEqual([])
})

test('what goes wrong on the way into a join fails the task; one that is cancelled does not go there', async () => {
  const place = () => Promise.reject(new Error('too much work'))
  const failure = { type: 'Error', value: 'too much work' }
  expect(await run(noHandler, { place })).toMatchObject({ kind: 'threw', failure })
  expect(await run(noHandler, { place, cancelled: true })).toEqual({ kind: 'cancelled' })
})

test('a task that loses its lease on the way into a join is lost', async () => {
  const signal = AbortSignal.abort(new LeaseLostError(task.id))
  const place: RunTaskNeeds['place'] = (_task, stop) => Promise.reject(stop.reason)
  expect(await run(noHandler, { place, signal })).toEqual({ kind: 'lost' })
})

test('a run out of time is told to end', async () => {
  expect(await run(listening, { timeoutMs: 20 })).toEqual({ kind: 'timed-out', limitMs: 20 })
})

test('a run out of time that does not listen is ended by force', async () => {
  const killed: Isolation['run'] = (job) =>
    new Promise((resolve) => {
      const failure = { type: 'TaskProcessKilledError', value: 'SIGKILL', traceback: '' }
      job.force.addEventListener('abort', () => resolve({ kind: 'crashed', failure }))
    })
  const outcome = await run(killed, { timeoutMs: 20, graceMs: 20 })
  expect(outcome).toEqual({ kind: 'timed-out', limitMs: 20 })
})

test('a run that not even force can end is left behind', async () => {
  const outcome = await run(deaf, { timeoutMs: 20, graceMs: 20, forceMs: 20 })
  expect(outcome).toEqual({ kind: 'timed-out', limitMs: 20 })
  expect(await readdir(base)).toEqual([])
})

test('a run that ends well although its time is up is done', async () => {
  const late: Isolation['run'] = (_job, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ kind: 'done' }))
    })
  expect(await run(late, { timeoutMs: 20 })).toEqual({ kind: 'done' })
})

test('when the process ends, a run that listens is interrupted, and one that does not is unfinished', async () => {
  const signal = AbortSignal.abort(new Error('the process ends'))
  const listener: Isolation['run'] = async (_job, stop) => {
    const failure = { type: 'Error', value: String(stop.reason), traceback: '' }
    return { kind: 'threw', failure }
  }
  expect(await run(listener, { signal })).toEqual({ kind: 'interrupted' })
  expect(await run(deaf, { signal, graceMs: 20, forceMs: 20 })).toEqual({ kind: 'unfinished' })
})

test('a run that is cancelled is told to end, and is done if it comes to its end in spite of that', async () => {
  const cancelling = () => AbortSignal.abort(new TaskCancelledError())
  expect(await run(async () => ({ kind: 'done' }), { signal: cancelling() })).toEqual({
    kind: 'done',
  })
  const stubborn = { signal: cancelling(), graceMs: 20, forceMs: 20 }
  expect(await run(deaf, stubborn)).toEqual({ kind: 'cancelled' })
})

test('a task that was cancelled before it could be begun is not', async () => {
  const outcome = await run(() => Promise.reject(new Error('begun')), { cancelled: true })
  expect(outcome).toEqual({ kind: 'cancelled' })
})

test('a run whose lease is lost is lost, however it ends', async () => {
  const signal = AbortSignal.abort(new LeaseLostError(task.id))
  expect(await run(async () => ({ kind: 'done' }), { signal })).toEqual({ kind: 'lost' })
  expect(await run(deaf, { signal, graceMs: 20, forceMs: 20 })).toEqual({ kind: 'lost' })
})

test('what cannot even be begun fails with the reason', async () => {
  const outcome = await run(deaf, { text: 'no event' })
  expect(outcome).toMatchObject({ kind: 'threw', failure: { type: 'EventFormatError' } })
})

test('an isolation that rejects, against its promise, does not leave the task behind', async () => {
  const outcome = await run(() => Promise.reject(new TypeError('our own mistake')))
  expect(outcome).toMatchObject({ kind: 'threw', failure: { value: 'our own mistake' } })
})

test('a task with more input than may be in hand is not begun, and says the numbers', async () => {
  const outcome = await run(() => Promise.reject(new Error('begun')), { size: 1_001 })
  expect(outcome).toEqual({
    kind: 'threw',
    failure: {
      type: 'TaskTooLargeError',
      value: expect.stringMatching(/have 1001 bytes .* may have 1000 \(DISPATCHER_BYTES_IN_HAND\)/),
      traceback: '',
    },
  })
})

test('a run whose folder holds more than it may is ended, and says the numbers', async () => {
  const filling: Isolation['run'] = async (job, signal) => {
    // Before the file is there: the run may be told to end as soon as it is.
    const ended = listening(job, signal)
    await mkdir(join(job.folder, 'deep/er'), { recursive: true })
    await writeFile(join(job.folder, 'deep/er/file'), Buffer.alloc(2_001))
    return await ended
  }
  expect(await run(filling, { maxBytes: 2_000 })).toEqual({
    kind: 'threw',
    failure: {
      type: 'ScratchQuotaError',
      value: expect.stringContaining('holds 2001 bytes, and may hold 2000'),
      traceback: '',
    },
  })
  expect(await readdir(base)).toEqual([])
  expect(await run(async () => ({ kind: 'done' }), { maxBytes: 2_000 })).toEqual({ kind: 'done' })
})
