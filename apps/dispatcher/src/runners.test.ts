import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { File, Transaction } from '@pacifica/core'
import { createLog } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCartd } from '../../../test/pacifica/cartd.ts'
import { startIngest } from '../../../test/pacifica/ingest.ts'
import { createRunners } from './runners.ts'

const SUBJECT = { transaction: new Transaction({ submitter: 10 }), keyValues: [] }
const CONTENT = Buffer.from('foo')
const FILE = new File({
  _id: 34,
  name: 'foo.txt',
  hashtype: 'sha1',
  hashsum: createHash('sha1').update(CONTENT).digest('hex'),
})

let root = ''
const closing: (() => Promise<void>)[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-runners-'))
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await rm(root, { recursive: true })
})

test('with http URLs files come from Cartd and results go to Ingest, as the settings say', async () => {
  const basicAuth = { user: 'joe', password: 'secret' }
  const cartd = await startCartd([{ id: 34, path: 'foo.txt', content: CONTENT }], { basicAuth })
  const ingest = await startIngest()
  closing.push(cartd.close, ingest.close)
  const runners = createRunners({
    cartdUrl: new URL(cartd.url),
    cartdUser: 'joe',
    cartdPassword: 'secret',
    ingestUrl: new URL(`${ingest.url}/upload`),
    ingestStatusUrl: new URL(`${ingest.url}/get_state`),
    ingestUser: 'jane',
    ingestPassword: 'too',
    ingestAuthedUser: 'dmlb2001',
    ingestAuthedUserHeader: 'Remote-User',
  })
  await runners.downloader.download(root, [FILE])
  expect(await readFile(join(root, 'data/foo.txt'))).toEqual(CONTENT)
  const result = await runners.uploadsOf('T-1').uploaderFor(1).upload(join(root, 'data'), SUBJECT)
  expect(result).toMatchObject({ bundle: undefined, jobId: 2 })
  expect(await runners.uploadsOf('T-1').follow?.(2, {})).toMatchObject({ jobId: 2 })
  expect(ingest.jobs[0]?.headers).toMatchObject({
    authorization: `Basic ${Buffer.from('jane:too').toString('base64')}`,
    'remote-user': 'dmlb2001',
  })
})

test('with file URLs files come from a folder, and results lie in one under the task', async () => {
  await mkdir(join(root, 'archive/data'), { recursive: true })
  await mkdir(join(root, 'task'))
  await writeFile(join(root, 'archive/data/foo.txt'), CONTENT)
  const runners = createRunners({
    cartdUrl: pathToFileURL(join(root, 'archive')),
    ingestUrl: pathToFileURL(join(root, 'results')),
  })
  await runners.downloader.download(join(root, 'task'), [FILE])
  const uploads = runners.uploadsOf('T-1')
  for (const number of [1, 2, 1]) {
    await uploads.uploaderFor(number).upload(join(root, 'archive/data'), SUBJECT)
  }
  expect(await readdir(join(root, 'results'))).toEqual(['T-1-2.tar', 'T-1.tar'])
})

test('a cart that cannot be deleted is a warning in the log', async () => {
  const faults = () => ({ answers: { DELETE: 500 } })
  const cartd = await startCartd([{ id: 34, path: 'foo.txt', content: CONTENT }], { faults })
  closing.push(cartd.close)
  const log = createLog({ name: 'test', level: 'silent' })
  const warned: unknown[][] = []
  log.warn = (...line: unknown[]) => void warned.push(line)
  const runners = createRunners({ cartdUrl: new URL(cartd.url), ingestUrl: undefined }, { log })
  await runners.downloader.download(root, [FILE])
  expect(warned).toEqual([
    [{ err: expect.any(Error), cart: expect.any(String) }, 'cart.not_deleted'],
  ])
})

test('without a URL nothing is done, and the variable is named', async () => {
  const runners = createRunners({ cartdUrl: undefined, ingestUrl: undefined })
  await expect(runners.downloader.download(root, [FILE])).rejects.toThrow('CARTD_URL is not set')
  const uploading = runners.uploadsOf('T-1').uploaderFor(1).upload(root, SUBJECT)
  await expect(uploading).rejects.toThrow('INGEST_URL is not set')
})
