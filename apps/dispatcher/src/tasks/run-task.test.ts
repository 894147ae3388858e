import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Isolation } from '../isolation/isolation.ts'
import { runTask } from './run-task.ts'
import { openScratch, type Scratch } from './scratch.ts'
import { LeaseLostError } from './worker.ts'

const log = createLog({ name: 'test', level: 'silent' })
const event = JSON.stringify({ specversion: '1.0', id: 'E-1', source: '/s', type: 't' })
const task = {
  id: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b',
  claim: 1,
  attempts: 1,
  event,
  trace: null,
}
const never = new AbortController().signal
let base: string
let scratch: Scratch

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'run-task-'))
  scratch = await openScratch({ log }, base)
})
afterEach(() => rm(base, { recursive: true }))

function run(
  isolated: Isolation['run'],
  { signal = never, timeoutMs = 60_000, abortGraceMs = 60_000, text = event } = {},
) {
  const needs = {
    dispatcher: 'example',
    isolation: { run: isolated },
    scratch,
    holds: async () => true,
    notesOf: () => ({ taken: async () => {}, bundle: async () => {} }),
  }
  return runTask(needs, { timeoutMs, abortGraceMs }, { ...task, event: text }, signal)
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

test('a run out of time is told to end', async () => {
  expect(await run(listening, { timeoutMs: 20 })).toEqual({ kind: 'timed-out', limitMs: 20 })
})

test('a run out of time that does not listen is left behind', async () => {
  const outcome = await run(deaf, { timeoutMs: 20, abortGraceMs: 20 })
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
  expect(await run(deaf, { signal, abortGraceMs: 20 })).toEqual({ kind: 'unfinished' })
})

test('a run whose lease is lost is lost, however it ends', async () => {
  const signal = AbortSignal.abort(new LeaseLostError(task.id))
  expect(await run(async () => ({ kind: 'done' }), { signal })).toEqual({ kind: 'lost' })
  expect(await run(deaf, { signal, abortGraceMs: 20 })).toEqual({ kind: 'lost' })
})

test('what cannot even be begun fails with the reason', async () => {
  const outcome = await run(deaf, { text: 'no event' })
  expect(outcome).toMatchObject({ kind: 'threw', failure: { type: 'EventFormatError' } })
})

test('an isolation that rejects, against its promise, does not leave the task behind', async () => {
  const outcome = await run(() => Promise.reject(new TypeError('our own mistake')))
  expect(outcome).toMatchObject({ kind: 'threw', failure: { value: 'our own mistake' } })
})
