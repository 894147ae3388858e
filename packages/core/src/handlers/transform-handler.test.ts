import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalDownloaderRunner } from '../download/local-downloader-runner.ts'
import { Event } from '../events/event.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { LocalUploaderRunner } from '../upload/local-uploader-runner.ts'
import { ExceptionEventHandler } from './exception-event-handler.ts'
import { NoopEventHandler } from './noop-event-handler.ts'
import type { TaskContext } from './task-context.ts'
import { type Transform, TransformHandler, type TransformOptions } from './transform-handler.ts'

const run = promisify(execFile)

let root = ''
let said: string[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-transform-'))
  said = []
  await mkdir(join(root, 'archive/data/a'), { recursive: true })
  await mkdir(join(root, 'task'))
  await writeFile(join(root, 'archive/data/a/foo.txt'), 'foo')
  await writeFile(join(root, 'archive/data/bar.bin'), 'bar')
})
afterEach(() => rm(root, { recursive: true }))

function contextOf(signal = new AbortController().signal): TaskContext {
  const say = (message: string) => said.push(message)
  return {
    taskId: 'task-1',
    signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new LocalUploaderRunner(join(root, 'bundles'), { name: () => 'task-1' }),
    log: { info: say, warn: say, error: say },
    progress: ({ step }) => say(step),
    provenance: [new TransactionKeyValue({ key: 'pacifica.task', value: 'task-1' })],
  }
}

function eventWith(data: unknown): Event {
  const required = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1' }
  return Event.parse(JSON.stringify({ ...required, data }))
}

const INGEST = eventWith([
  { destinationTable: 'Transactions._id', value: 67 },
  { destinationTable: 'Transactions.submitter', value: 10 },
  { destinationTable: 'Transactions.project', value: 'p' },
  { destinationTable: 'Transactions.instrument', value: 54 },
  { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
  { destinationTable: 'Files', name: 'foo.txt', subdir: 'a', mimetype: 'text/plain' },
  { destinationTable: 'Files', name: 'bar.bin', subdir: '' },
])

async function handle(event: Event, transform: Transform, options?: TransformOptions) {
  await new TransformHandler(transform, options).handle(event, contextOf())
  const bundle = join(root, 'bundles/task-1.tar')
  const { stdout: list } = await run('tar', ['tf', bundle])
  const { stdout: metadata } = await run('tar', ['xOf', bundle, 'metadata.txt'])
  const entries: Record<string, unknown>[] = JSON.parse(metadata)
  const noted = entries.filter(({ destinationTable }) => destinationTable !== 'Files')
  return { members: list.trim().split('\n'), noted: noted.map((each) => Object.values(each)) }
}

const copyAll: Transform = async ({ input, output }) => {
  for (const { file, open } of input) {
    const target = await output.create(file.path)
    target.end(await text(open()))
    await new Promise<void>((resolve) => target.on('close', () => resolve()))
  }
}

test('files go in, the result comes out as a bundle with the source carried over', async () => {
  expect(await handle(INGEST, copyAll)).toEqual({
    members: ['data/a/foo.txt', 'data/bar.bin', 'metadata.txt'],
    noted: [
      ['Transactions.submitter', 10],
      ['Transactions.project', 'p'],
      ['Transactions.instrument', 54],
      ['TransactionKeyValue', 'Transactions._id', 67],
      ['TransactionKeyValue', 'pacifica.task', 'task-1'],
    ],
  })
  expect(said).toEqual(['download', 'upload', 'transform.uploaded'])
})

test('only selected files are fetched', async () => {
  const { members } = await handle(INGEST, copyAll, { select: (file) => file.subdir === 'a' })
  expect(members).toEqual(['data/a/foo.txt', 'metadata.txt'])
})

test('the function sees the event and may say whose the result is', async () => {
  const transform: Transform = async (given) => {
    expect(given.event).toBe(INGEST)
    expect(given.transaction._id).toBe(67)
    expect(given.keyValues).toEqual([new TransactionKeyValue({ key: 'Tag', value: 'Blah' })])
    expect(await readdir(join(given.inputFolder, 'data'))).toEqual(['a', 'bar.bin'])
    await writeFile(join(given.output.folder, 'x'), 'x')
    return {
      transaction: new Transaction({ submitter: 1 }),
      keyValues: [new TransactionKeyValue({ key: 'k', value: true })],
    }
  }
  expect((await handle(INGEST, transform)).noted).toEqual([
    ['Transactions.submitter', 1],
    ['TransactionKeyValue', 'k', true],
    ['TransactionKeyValue', 'pacifica.task', 'task-1'],
  ])
})

test('without a result nothing is uploaded, and the log says so', async () => {
  const nothing: Transform = async ({ output }) => {
    await mkdir(join(output.folder, 'empty'))
  }
  await new TransformHandler(nothing).handle(INGEST, contextOf())
  expect(said).toEqual(['download', 'transform.nothing_to_upload'])
  expect(await readdir(root)).not.toContain('bundles')
})

test('an event without files is transformed too', async () => {
  const transform: Transform = async ({ input, output }) => {
    expect(input).toEqual([])
    await writeFile(join(output.folder, 'x'), 'x')
  }
  const { members, noted } = await handle(eventWith({ obj_type: 'Files' }), transform)
  expect(members).toEqual(['data/x', 'metadata.txt'])
  expect(noted).toEqual([['TransactionKeyValue', 'pacifica.task', 'task-1']])
})

test('what an earlier try left in the folder is gone', async () => {
  await mkdir(join(root, 'task/uploads'))
  await writeFile(join(root, 'task/uploads/half-written'), 'x')
  await expect(handle(INGEST, copyAll)).resolves.toMatchObject({ members: expect.any(Array) })
  const { members } = await handle(INGEST, copyAll)
  expect(members).not.toContain('data/half-written')
})

test('a function that fails, or a task that is called off, uploads nothing', async () => {
  const failing = new TransformHandler(async ({ output }) => {
    await writeFile(join(output.folder, 'x'), 'x')
    throw new Error('broken')
  })
  await expect(failing.handle(INGEST, contextOf())).rejects.toThrow('broken')
  const cancel = new AbortController()
  const cancelled = new TransformHandler(async ({ output }) => {
    await writeFile(join(output.folder, 'x'), 'x')
    cancel.abort(new Error('cancelled'))
  })
  await expect(cancelled.handle(INGEST, contextOf(cancel.signal))).rejects.toThrow('cancelled')
  expect(await readdir(root)).not.toContain('bundles')
})

test('the handlers for trying things out do nothing, and fail', async () => {
  await expect(new NoopEventHandler().handle()).resolves.toBeUndefined()
  await expect(new ExceptionEventHandler().handle()).rejects.toMatchObject({
    name: 'ExceptionEventHandlerError',
    code: 'EXCEPTION_EVENT_HANDLER',
  })
})
