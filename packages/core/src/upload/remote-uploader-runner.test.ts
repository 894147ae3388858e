import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SimulatedIngest, startIngest } from '../../../../test/pacifica/ingest.ts'
import { type IngestFaults, STEPS } from '../../../../test/pacifica/ingest-faults.ts'
import { Transaction } from '../models/transaction.ts'
import { type RemoteUploaderOptions, RemoteUploaderRunner } from './remote-uploader-runner.ts'
import { uploaderContract } from './uploader.contract.ts'
import type { UploadOptions } from './uploader-runner.ts'

const QUICK = { pauses: { firstMs: 5, mostMs: 20 } }
const SUBJECT = { transaction: new Transaction({ submitter: 10 }), keyValues: [] }

uploaderContract('RemoteUploaderRunner', async () => {
  const ingest = await startIngest()
  return {
    runner: new RemoteUploaderRunner(ingest.url, QUICK),
    arrived: async () => ingest.jobs.map(({ bundle }) => bundle),
    close: () => ingest.close(),
  }
})

let root = ''
let source = ''
const ingests: SimulatedIngest[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-remote-upload-'))
  source = join(root, 'uploads')
  await put('a/b/foo.txt', 'foo')
})
afterEach(async () => {
  await Promise.all(ingests.splice(0).map((ingest) => ingest.close()))
  await rm(root, { recursive: true })
})

async function put(path: string, content: string | Buffer): Promise<string> {
  const target = join(source, path)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, content)
  return target
}

async function ingestWith(faults: IngestFaults = {}): Promise<SimulatedIngest> {
  const ingest = await startIngest({ faults: () => faults })
  ingests.push(ingest)
  return ingest
}

function upload(
  { url }: { url: string },
  options: RemoteUploaderOptions & Partial<UploadOptions> = {},
) {
  const runner = new RemoteUploaderRunner(url, { ...QUICK, ...options })
  return runner.upload(source, { ...SUBJECT, ...options })
}

test('the result is the job and the last that Ingest said of it', async () => {
  const ingest = await ingestWith({ stepMs: 20 })
  const result = await upload(ingest)
  expect(result).toMatchObject({
    bundle: undefined,
    jobId: 2,
    state: { job_id: 2, state: 'OK', task: 'ingest metadata', task_percent: '100.00000' },
  })
  expect(ingest.calls[0]).toBe('POST /upload')
  expect(ingest.calls.slice(1).every((call) => call === 'GET /get_state?job_id=2')).toBe(true)
  expect(ingest.jobs[0]?.bundle.failure).toBeUndefined()
})

test('the length is said before the first byte, and is right', async () => {
  const ingest = await ingestWith()
  await put('big.bin', randomBytes(3_000_000))
  await upload(ingest)
  const { headers, bundle } = ingest.jobs[0] ?? {}
  expect(headers).toMatchObject({ 'content-type': 'application/octet-stream' })
  expect(headers?.['transfer-encoding']).toBeUndefined()
  expect(headers?.['content-length']).toBe(String(bundle?.bytes))
})

test('the job is told as soon as it has a number, and what is told is waited for', async () => {
  const ingest = await ingestWith({ stepMs: 30 })
  const told: string[] = []
  const onJob = async (jobId: number) => {
    told.push(`job ${jobId}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    told.push(`asked ${ingest.calls.length - 1} times`)
  }
  await upload(ingest, { onJob })
  expect(told).toEqual(['job 2', 'asked 0 times'])
})

test('an upload is followed by its job, without sending anything', async () => {
  const ingest = await ingestWith({ stepMs: 30 })
  const cancel = new AbortController()
  const broken = upload(ingest, {
    signal: cancel.signal,
    onJob: () => cancel.abort(new Error('the dispatcher stops')),
  })
  await expect(broken).rejects.toThrow('the dispatcher stops')
  const result = await new RemoteUploaderRunner(ingest.url, QUICK).follow(2)
  expect(result).toMatchObject({ jobId: 2, state: { task: 'ingest metadata' } })
  expect(ingest.uploads).toBe(1)
})

test.each(STEPS)(
  'a job that fails at %j says so, with the last line of the traceback',
  async (step) => {
    const ingest = await ingestWith({ failsAt: step, stepMs: 5 })
    const uploading = upload(ingest)
    await expect(uploading).rejects.toMatchObject({
      name: 'IngestFailedError',
      code: 'INGEST_FAILED',
      jobId: 2,
      task: step,
      exception: expect.stringMatching(/^Traceback \(most recent call last\):\n {2}File /),
      message: expect.stringMatching(
        new RegExp(`^Ingest failed job 2 at "${step}": [a-zA-Z.]+: .+`),
      ),
    })
    await expect(uploading).rejects.not.toThrow('File "/usr')
  },
)

test.each([
  ['not allowed', 'not allowed'],
  ['', 'it gave no reason'],
  [
    'Traceback (most recent call last):\n  File "x"\nValueError: two\nlines',
    'ValueError: two\nlines',
  ],
])('the reason of a failure is also told when it is %j', async (exception, reason) => {
  const ingest = await ingestWith({ failsAt: 'ingest files', exception })
  await expect(upload(ingest)).rejects.toThrow(`at "ingest files": ${reason}`)
})

test('the simulated Ingest itself checks what it gets', async () => {
  const ingest = await ingestWith()
  const send = async (body: Buffer | string) => {
    const answer = await fetch(`${ingest.url}/upload`, { method: 'POST', body })
    const { job_id } = (await answer.json()) as { job_id: number }
    return await new RemoteUploaderRunner(ingest.url, QUICK).follow(job_id).catch(String)
  }
  expect(await send('no tar at all'.repeat(100))).toContain('at "open tar": tarfile.ReadError')
  expect(await send(Buffer.alloc(1024))).toContain('at "load metadata"')
})

test('a job that Ingest does not know is an error that names it', async () => {
  const ingest = await ingestWith({ forgetsJob: true })
  await expect(upload(ingest)).rejects.toMatchObject({
    code: 'INGEST_JOB_UNKNOWN',
    jobId: 2,
    message: expect.stringContaining('Ingest does not know job 2 (404 to GET http'),
  })
})

test.each([
  ['stops at a step', { stuckAt: 'ingest files' }, /waiting for job 2: ingest files 50\.00000 %\)/],
  [
    'has a state nobody knows',
    { odd: { state: 'MAYBE' } },
    /ingest metadata 100\.00000 % \(MAYBE\)/,
  ],
  ['is at a task nobody knows', { odd: { task: 'dance' } }, /waiting for job 2: dance/],
  ['is at no number of percent', { odd: { task_percent: 'lots' } }, /ingest metadata lots %/],
  ['can no longer be asked for', { stateFails: () => true }, /GET .*answered 503 "try later"/],
  ['breaks every question off', { stateResets: () => true }, /no answer \(socket hang up\)/],
  ['is uploaded and never answered', { hangsAfterUpload: true }, /sending 1 files, 3072 bytes/],
] satisfies [string, IngestFaults, RegExp][])(
  'a job that %s ends with the timeout, which says what was waited for',
  async (_what, faults, message) => {
    const ingest = await ingestWith(faults)
    await expect(upload(ingest, { timeout: 1_000 })).rejects.toMatchObject({
      code: 'TRANSFER_TIMEOUT',
      message: expect.stringMatching(message),
    })
  },
)

test('an Ingest that hangs in the middle of the upload ends with the timeout', async () => {
  const ingest = await ingestWith({ hangsAfter: 100_000 })
  await put('big.bin', randomBytes(20_000_000))
  await expect(upload(ingest, { timeout: 300 })).rejects.toThrow(/sending 2 files, 2000\d+ bytes/)
})

test('an upload that goes on, however slowly, is never cut off', async () => {
  const ingest = await ingestWith({ readsSlowlyMs: 25, stepMs: 150 })
  await put('big.bin', randomBytes(9_000_000))
  const started = performance.now()
  const timeout = 3_000
  await upload(ingest, { timeout })
  expect(performance.now() - started).toBeGreaterThan(timeout)
})

test('questions that get no answer for a while are asked again', async () => {
  const ingest = await ingestWith({ stateFails: (ms) => ms < 60, stateResets: (ms) => ms < 120 })
  await expect(upload(ingest)).resolves.toMatchObject({ jobId: 2 })
})

test('an upload whose connection is reset is an error, and is not sent again', async () => {
  const ingest = await ingestWith({ resetsAfter: 500_000 })
  await put('big.bin', randomBytes(20_000_000))
  await expect(upload(ingest)).rejects.toMatchObject({
    code: 'SERVICE_UNREACHABLE',
    message: expect.stringMatching(
      /^POST http:\/\/.*\/upload: no answer \(.*(EPIPE|ECONNRESET|hang up)/,
    ),
  })
  expect(ingest.uploads).toBe(1)
})

test.each([
  [401, 'check the user and the password'],
  [404, 'check the URL'],
  [413, 'answered 413 "not like this"'],
  [500, 'answered 500'],
])('an upload that is answered %i says so', async (refuses, message) => {
  const ingest = await ingestWith({ refuses })
  await expect(upload(ingest)).rejects.toMatchObject({
    code: 'SERVICE_ANSWER',
    status: refuses,
    message: expect.stringContaining(message),
  })
})

test.each(['<html>welcome</html>', '{"state":"OK"}', '[]', '{"job_id":"2"}', ''])(
  'an answer that is no job is an error that shows it: %j',
  async (saysInstead) => {
    const ingest = await ingestWith({ saysInstead })
    await expect(upload(ingest)).rejects.toThrow('which is no job; is this Ingest?')
    const later = await ingestWith({ stateSays: saysInstead })
    await expect(upload(later)).rejects.toThrow('which is no job; is this Ingest?')
  },
)

test('a file that grows while it is sent breaks the request off', async () => {
  const ingest = await ingestWith({ readsSlowlyMs: 5 })
  const path = await put('a.bin', randomBytes(5_000_000))
  let grown = false
  const onProgress = () => {
    if (!grown) void appendFile(path, 'more')
    grown = true
  }
  await expect(upload(ingest, { onProgress })).rejects.toThrow(
    '"a.bin" changed while it was read: 5000000 bytes at first, then 5000004',
  )
  expect(ingest.jobs).toEqual([])
})

test('user, password and the user behind the proxy are sent', async () => {
  const ingest = await ingestWith()
  await upload(ingest, { user: 'joe', password: 's:ecret', authedUser: 'dmlb2001' })
  const basic = `Basic ${Buffer.from('joe:s:ecret').toString('base64')}`
  expect(ingest.jobs[0]?.headers).toMatchObject({
    authorization: basic,
    'x-http-authed-user': 'dmlb2001',
  })
  expect(ingest.lastHeaders).toMatchObject({
    authorization: basic,
    'x-http-authed-user': 'dmlb2001',
  })
  await upload(ingest, { authedUser: 'dmlb2001', authedUserHeader: 'Remote-User' })
  expect(ingest.lastHeaders).toMatchObject({ 'remote-user': 'dmlb2001' })
  expect(ingest.lastHeaders.authorization).toBeUndefined()
})

test('the upload URL of a Python configuration is taken as it is', async () => {
  const ingest = await ingestWith()
  const statusUrl = `${ingest.url}/get_state?verbose=1`
  await upload({ url: `${ingest.url}/upload` }, { statusUrl })
  expect(ingest.calls).toContain('GET /get_state?verbose=1&job_id=2')
  await upload({ url: `${ingest.url}/upload/` })
  expect(ingest.calls.at(-1)).toBe('GET /get_state?job_id=3')
})

test('before the last bytes of a bundle leave, whoever uploads has the last word', async () => {
  const ingest = await ingestWith()
  const refused = upload(ingest, {
    beforeLast: () => Promise.reject(new Error('somebody else has the task')),
  })
  await expect(refused).rejects.toThrow('somebody else has the task')
  expect(ingest.jobs).toHaveLength(0)
  const before: number[] = []
  await upload(ingest, { beforeLast: () => void before.push(ingest.jobs.length) })
  expect(before).toEqual([0])
  expect(ingest.jobs).toHaveLength(1)
})
