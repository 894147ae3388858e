import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalDownloaderRunner } from '../download/local-downloader-runner.ts'
import { Event } from '../events/event.ts'
import type { TaskContext } from '../handlers/task-context.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { UploaderRunner, type UploadOptions } from '../upload/uploader-runner.ts'
import { type JoinTransform, JoinTransformHandler } from './join-transform-handler.ts'

let root = ''
let uploads: { files: string[]; transaction: object; noted: unknown[]; last: unknown }[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-join-'))
  uploads = []
  await mkdir(join(root, 'archive/data'), { recursive: true })
  for (const name of ['raw.txt', 'dark.txt'])
    await writeFile(join(root, 'archive/data', name), name)
  await mkdir(join(root, 'task'))
})
afterEach(() => rm(root, { recursive: true }))

class Uploads extends UploaderRunner {
  override async upload(folder: string, options: UploadOptions) {
    const { transaction, keyValues, last } = options
    const noted = keyValues.map(({ key, value }) => [key, value])
    uploads.push({ files: await readdir(folder), transaction: { ...transaction }, noted, last })
    return { bundle: 'b', jobId: undefined, state: {} }
  }
}

function contextOf(): TaskContext {
  return {
    taskId: 'T',
    signal: new AbortController().signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new Uploads(),
    log: { info() {}, warn() {}, error() {} },
    progress() {},
    provenance: [new TransactionKeyValue({ key: 'task', value: 'T' })],
  }
}

function eventOf(id: number, name: string): Event {
  const data = [
    { destinationTable: 'Transactions._id', value: id },
    { destinationTable: 'Transactions.submitter', value: id + 1 },
    { destinationTable: 'Transactions.project', value: 'p' },
    { destinationTable: 'Transactions.instrument', value: 54 },
    { destinationTable: 'Files', name, subdir: '' },
  ]
  const required = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1' }
  return Event.parse(JSON.stringify({ ...required, data }))
}

type Slot = 'raw' | 'dark' | 'late'
const joined = {
  join: 'pair',
  key: 'S-1',
  events: { raw: eventOf(67, 'raw.txt'), dark: eventOf(70, 'dark.txt'), late: undefined },
  missing: ['late'],
} as const

async function handle(transform: JoinTransform<Slot>, options = {}): Promise<void> {
  await new JoinTransformHandler<Slot>(transform, options).handle(joined, contextOf())
}

test("each slot's files lie in its own folder, and one bundle comes of all", async () => {
  await handle(async ({ key, slots, missing, events, output, inputFolder }) => {
    expect(missing).toEqual(['late'])
    expect(slots.late).toBeUndefined()
    expect(events.raw).toBe(slots.raw?.event)
    expect(slots.dark?.transaction._id).toBe(70)
    expect(slots.dark?.folder).toBe(join(inputFolder, 'dark'))
    const texts = Object.values(slots).map(
      (slot) => slot && readFile(join(slot.folder, 'data', slot.input[0]?.file.path ?? ''), 'utf8'),
    )
    await writeFile(await output.inside(`${key}.txt`), (await Promise.all(texts)).join('+'))
  })
  expect(uploads).toEqual([
    {
      files: ['S-1.txt'],
      transaction: new Transaction({ submitter: 68, project: 'p', instrument: 54 }),
      noted: [
        ['Transactions._id', 67],
        ['Transactions._id', 70],
        ['task', 'T'],
      ],
      last: true,
    },
  ])
  expect(await readFile(join(root, 'task/uploads/S-1.txt'), 'utf8')).toBe('raw.txt+dark.txt+')
})

test('only selected files are fetched; the function may say whose the result is; nothing is no bundle', async () => {
  const select = (_file: object, slot: Slot) => slot === 'raw'
  await handle(
    async ({ slots, output }) => {
      expect([slots.raw?.input.length, slots.dark?.input.length]).toEqual([1, 0])
      await writeFile(await output.inside('x'), 'x')
      return { transaction: new Transaction({ submitter: 1 }), keyValues: [] }
    },
    { select },
  )
  expect(uploads).toMatchObject([{ transaction: { submitter: 1 }, noted: [['task', 'T']] }])
  await handle(async () => undefined)
  expect(uploads).toHaveLength(1)
})
