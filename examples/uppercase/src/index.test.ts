import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import {
  Event,
  LocalDownloaderRunner,
  LocalUploaderRunner,
  RouteNotFoundRouterError,
} from '@pacifica/core'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import dispatcher from './index.ts'
import { inUpperCase, NotUtf8Error } from './uppercase.ts'

const run = promisify(execFile)

/** Two text files that are taken, a binary one that is not. */
const SOURCE: Record<string, { mimetype: string; content: Buffer }> = {
  'lipsum.txt': { mimetype: 'text/plain', content: Buffer.from('Lorem ipsum dolor sit amet.\n') },
  'a/b/straße.csv': {
    mimetype: 'text/csv',
    content: Buffer.from('größe;é;\u{1d4d0}\n'.repeat(9_999)),
  },
  'image.png': { mimetype: 'image/png', content: Buffer.from([0x89, 0x50, 0, 255]) },
}
const RESULT: Record<string, string> = {
  'data/lipsum.txt': 'LOREM IPSUM DOLOR SIT AMET.\n',
  'data/a/b/straße.csv': 'GRÖSSE;É;\u{1d4d0}\n'.repeat(9_999),
}

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-uppercase-'))
  await mkdir(join(root, 'task'))
  for (const [path, { content }] of Object.entries(SOURCE)) {
    await mkdir(dirname(join(root, 'archive/data', path)), { recursive: true })
    await writeFile(join(root, 'archive/data', path), content)
  }
})
afterEach(() => rm(root, { recursive: true }))

/** As Metadata reports it: the attributes, the key-values, the files. */
function eventOf(entries: readonly object[]): Event {
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: 'http://metadata.pacifica.org/transactions?_id=67',
      eventID: 'metadata.ingest.67',
      eventTime: '2019-01-09T09:17:26',
      extensions: {},
      contentType: 'application/json',
      data: entries,
    }),
  )
}

const MARK = { destinationTable: 'TransactionKeyValue', key: 'example-key', value: 'example-value' }
const FILES = Object.entries(SOURCE).map(([path, { mimetype, content }], index) => ({
  destinationTable: 'Files',
  _id: index + 1,
  name: path.split('/').at(-1),
  subdir: path.split('/').slice(0, -1).join('/'),
  size: content.byteLength,
  hashtype: 'sha1',
  hashsum: createHash('sha1').update(content).digest('hex'),
  mimetype,
}))
const EVENT = eventOf([
  { destinationTable: 'Transactions._id', value: 67 },
  { destinationTable: 'Transactions.submitter', value: 10 },
  { destinationTable: 'Transactions.project', value: '1234é' },
  { destinationTable: 'Transactions.instrument', value: 54 },
  MARK,
  ...FILES,
])

async function handle(): Promise<string> {
  const quiet = () => undefined
  await dispatcher.router.match(EVENT).handle(EVENT, {
    taskId: 'task-1',
    signal: new AbortController().signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new LocalUploaderRunner(join(root, 'bundles'), { name: () => 'result' }),
    log: { info: quiet, warn: quiet, error: quiet },
    progress: quiet,
    provenance: [],
  })
  return join(root, 'bundles/result.tar')
}

test('the text files of a marked transaction come back in upper case', async () => {
  const archive = extract()
  createReadStream(await handle())
    .on('data', (chunk) => archive.write(chunk))
    .on('end', () => archive.end(null))
  const members: Record<string, string> = {}
  for await (const entry of archive) {
    members[entry.header.name] = String(await buffer(entry as AsyncIterable<Buffer>))
  }
  const { 'metadata.txt': metadata, ...files } = members
  expect(files).toEqual(RESULT)
  const entries: Record<string, unknown>[] = JSON.parse(metadata as string)
  expect(entries.slice(0, 4)).toEqual([
    { destinationTable: 'Transactions.submitter', value: 10 },
    { destinationTable: 'Transactions.project', value: '1234é' },
    { destinationTable: 'Transactions.instrument', value: 54 },
    { destinationTable: 'TransactionKeyValue', key: 'Transactions._id', value: 67 },
  ])
  const hashes = entries.slice(4).map(({ hashsum }) => hashsum)
  const expected = Object.keys(RESULT)
    .sort()
    .map((path) =>
      createHash('sha1')
        .update(RESULT[path] as string)
        .digest('hex'),
    )
  expect(hashes).toEqual(expected)
})

test('GNU tar unpacks the result', async () => {
  await run('tar', ['xf', await handle(), '-C', root])
  for (const [path, content] of Object.entries(RESULT)) {
    expect(await readFile(join(root, path), 'utf8')).toBe(content)
  }
})

test('the event that the result will cause is not taken again', async () => {
  const { stdout } = await run('tar', ['xOf', await handle(), 'metadata.txt'])
  const event = eventOf([
    ...JSON.parse(stdout),
    { destinationTable: 'Transactions._id', value: 68 },
  ])
  expect(() => dispatcher.router.match(event)).toThrow(RouteNotFoundRouterError)
})

test.each([
  ['without the mark', FILES],
  ['without a text file', [MARK, ...FILES.filter(({ mimetype }) => mimetype === 'image/png')]],
  ['that is no ingest', { obj_type: 'Files', obj_primary_keys: { _id: 1 }, method: 'PUT' }],
])('an event %s is not taken', (_kind, data) => {
  expect(dispatcher.router.findRoute(eventOf(data as object[]))).toBeUndefined()
})

test('characters survive wherever the bytes are cut', async () => {
  const chunks = (content: string, cuts: readonly number[]) => {
    const bytes = Buffer.from(content)
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
    places.sort((a, b) => a - b)
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
  }
  const input = fc.string({ unit: fc.constantFrom('a', 'é', 'ß', 'パ', '\u{10428}', '\n') })
  await fc.assert(
    fc.asyncProperty(input, fc.array(fc.nat()), async (content, cuts) => {
      const stream = Readable.from(inUpperCase(Readable.from(chunks(content, cuts)), 'x'))
      expect(await text(stream)).toBe(content.toUpperCase())
    }),
  )
})

test('a file that is no UTF-8 fails the task and is named, instead of being spoilt', async () => {
  const path = join(root, 'archive/data/lipsum.txt')
  const latin1 = Buffer.from('Stra\xdfe'.padEnd((await readFile(path)).byteLength), 'latin1')
  await writeFile(path, latin1)
  await expect(handle()).rejects.toThrow(NotUtf8Error)
  await expect(handle()).rejects.toThrow('lipsum.txt is not UTF-8')
})
