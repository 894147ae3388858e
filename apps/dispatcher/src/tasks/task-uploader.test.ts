import {
  ServiceAnswerError,
  ServiceUnreachableError,
  Transaction,
  TransactionKeyValue,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import { createLog } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { PROVENANCE_KEYS } from './provenance.ts'
import { LeaseLostError } from './stop-reasons.ts'
import { TaskUploader, type TaskUploaderNeeds } from './task-uploader.ts'
import type { UploadRecord } from './upload-store.ts'

const log = createLog({ name: 'test', level: 'silent' })
const SUBJECT = { transaction: new Transaction({}), keyValues: [] }
const RECORD: UploadRecord = {
  ...{ number: 1, state: 'begun', last: true, unsure: false, ageMs: 1_000 },
  ...{ jobId: null, bundle: null, transaction: null },
}

/** An Ingest that numbers its jobs from 7 and may fail after the last bytes. */
class Ingest extends UploaderRunner {
  uploads = 0
  failure: Error | undefined
  keyValues: readonly TransactionKeyValue[] = []
  readonly followed: number[] = []

  override async upload(_folder: string, options: UploadOptions): Promise<UploadResult> {
    this.uploads += 1
    this.keyValues = options.keyValues
    await options.beforeLast?.()
    if (this.failure !== undefined) throw this.failure
    const jobId = 6 + this.uploads
    await options.onJob?.(jobId)
    return { bundle: undefined, jobId, state: {} }
  }
}

interface Scene {
  readonly known?: readonly UploadRecord[]
  /** What Metadata knows; without it there is nobody to ask. */
  readonly transactions?: readonly number[]
  readonly holds?: boolean
  readonly isFolder?: boolean
}

function scene({ known = [], transactions, holds = true, isFolder = false }: Scene = {}) {
  const ingest = new Ingest()
  const marks: string[] = []
  const follow = async (jobId: number) => {
    ingest.followed.push(jobId)
    return { bundle: undefined, jobId, state: {} }
  }
  const needs: TaskUploaderNeeds = {
    uploads: { uploaderFor: () => ingest, ...(isFolder ? {} : { follow }) },
    metadata: transactions && {
      awaitTransactions: async (_wanted, { atLeast }) =>
        transactions.length >= atLeast ? [...transactions] : undefined,
    },
    log,
    progress() {},
    async mark({ number, state, unsure }) {
      marks.push(`${number} ${state}${unsure ? ' unsure' : ''}`)
      return holds
    },
  }
  const provenance = [new TransactionKeyValue({ key: PROVENANCE_KEYS.task, value: 'T-1' })]
  const uploader = new TaskUploader(needs, { taskId: 'T-1', provenance, known, unsureMs: 0 })
  return { ingest, marks, uploader }
}

test('an upload is noted before each step that cannot be taken back', async () => {
  const { ingest, marks, uploader } = scene()
  expect(await uploader.upload('/out', SUBJECT)).toMatchObject({ jobId: 7 })
  expect(marks).toEqual(['1 begun', '1 ending', '1 sent', '1 done'])
  expect(ingest.keyValues).toMatchObject([{ key: PROVENANCE_KEYS.task, value: 'T-1' }])
})

test('nothing is sent for a task that somebody else has', async () => {
  const { ingest, uploader } = scene({ holds: false })
  await expect(uploader.upload('/out', SUBJECT)).rejects.toThrow(LeaseLostError)
  expect(ingest.uploads).toBe(0)
})

test('what was cut off before its last bytes is sent again', async () => {
  const { ingest, marks, uploader } = scene({ known: [RECORD] })
  await uploader.upload('/out', SUBJECT)
  expect(ingest.uploads).toBe(1)
  expect(marks.at(-1)).toBe('1 done')
})

test('a job that is known is followed, and nothing is sent', async () => {
  const { ingest, marks, uploader } = scene({ known: [{ ...RECORD, state: 'sent', jobId: 9 }] })
  expect(await uploader.upload('/out', SUBJECT)).toMatchObject({ jobId: 9 })
  expect([ingest.uploads, ingest.followed]).toEqual([0, [9]])
  expect(marks).toEqual(['1 done'])
})

test('what is done is done; the next upload of the handler is another one', async () => {
  const { ingest, marks, uploader } = scene({ known: [{ ...RECORD, state: 'done', jobId: 9 }] })
  expect(await uploader.upload('/out', SUBJECT)).toMatchObject({ jobId: 9 })
  expect(ingest.uploads).toBe(0)
  expect(await uploader.upload('/out', SUBJECT)).toMatchObject({ jobId: 7 })
  expect(marks.at(-1)).toBe('2 done')
})

test('in doubt, Metadata is asked: what it knows is not sent again', async () => {
  const { ingest, marks, uploader } = scene({
    known: [{ ...RECORD, state: 'ending' }],
    transactions: [68],
  })
  await uploader.upload('/out', SUBJECT)
  expect(ingest.uploads).toBe(0)
  expect(marks).toEqual(['1 done'])
})

test("in doubt about a second upload, the first one's transaction does not count", async () => {
  const known = [
    { ...RECORD, state: 'done', last: false },
    { ...RECORD, number: 2, state: 'ending' },
  ] as const
  const { ingest, uploader } = scene({ known, transactions: [68] })
  await uploader.upload('/out', SUBJECT)
  await uploader.upload('/out', SUBJECT)
  expect(ingest.uploads).toBe(1)
})

test('in doubt, and nobody knows of it: it is sent again, and marked', async () => {
  for (const transactions of [undefined, []]) {
    const known = [{ ...RECORD, state: 'ending' }] as const
    const { ingest, marks, uploader } = scene({ known, ...(transactions && { transactions }) })
    await uploader.upload('/out', SUBJECT)
    expect(ingest.uploads).toBe(1)
    expect(marks.at(-1)).toBe('1 done unsure')
  }
})

test('into a folder it is sent again without a doubt: it replaces what is there', async () => {
  const { marks, uploader } = scene({ known: [{ ...RECORD, state: 'ending' }], isFolder: true })
  await uploader.upload('/out', SUBJECT)
  expect(marks.at(-1)).toBe('1 done')
})

test.each([
  ['was refused', new ServiceAnswerError('POST /upload', 413, ''), '1 begun'],
  ['got no answer', new ServiceUnreachableError('POST /upload', new Error('reset')), '1 ending'],
])('an upload that %s leaves behind what is known of it', async (_what, failure, mark) => {
  const { ingest, marks, uploader } = scene()
  ingest.failure = failure
  await expect(uploader.upload('/out', SUBJECT)).rejects.toBe(failure)
  expect(marks.at(-1)).toBe(mark)
})

test('once the last bytes are away, calling off waits for the job', async () => {
  const { ingest, marks, uploader } = scene()
  const stop = new AbortController()
  let aborted: boolean | undefined
  ingest.upload = async (_folder, { beforeLast, onJob, signal }) => {
    await beforeLast?.()
    stop.abort(new Error('cancelled'))
    aborted = signal?.aborted
    await onJob?.(7)
    signal?.throwIfAborted()
    throw new Error('the signal did not come')
  }
  const uploading = uploader.upload('/out', { ...SUBJECT, signal: stop.signal })
  await expect(uploading).rejects.toThrow('cancelled')
  expect(aborted).toBe(false)
  expect(marks.at(-1)).toBe('1 sent')
})

test.each([
  ['it is done', { state: 'done' }, true],
  ['its job is known', { state: 'sent', jobId: 9 }, true],
  ['it had only begun', { state: 'begun' }, false],
  ['it is in doubt', { state: 'ending' }, false],
  ['the handler has more to do', { state: 'done', last: false }, false],
] as const)('whether the handler must run again when %s', async (_what, record, isThrough) => {
  const { ingest, uploader } = scene({ known: [{ ...RECORD, ...record }] })
  expect((await uploader.resume({})) !== undefined).toBe(isThrough)
  expect(ingest.uploads).toBe(0)
})
