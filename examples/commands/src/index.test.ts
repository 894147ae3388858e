import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import {
  type Dispatcher,
  Event,
  LocalDownloaderRunner,
  LocalUploaderRunner,
  mimetypeOf,
} from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'

const run = promisify(execFile)
const module: { default: Dispatcher } = await import(new URL('index.js', import.meta.url).href)

let root = ''
let said: unknown[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-commands-'))
  await mkdir(join(root, 'task'))
  said = []
})
afterEach(() => rm(root, { recursive: true }))

/** Hands a transaction that asks for `program` to the dispatcher, and returns the files of the result. */
async function handle(program: string, files: Readonly<Record<string, string>>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, 'archive/data', path)), { recursive: true })
    await writeFile(join(root, 'archive/data', path), content)
  }
  const event = eventOf(program, Object.keys(files))
  const log = (message: string, fields = {}) => said.push({ message, ...fields })
  await module.default.router.match(event).handle(event, {
    taskId: 'task-1',
    signal: new AbortController().signal,
    folder: join(root, 'task'),
    downloader: new LocalDownloaderRunner(join(root, 'archive')),
    uploader: new LocalUploaderRunner(join(root, 'bundles'), { name: () => 'result' }),
    log: { info: log, warn: log, error: log },
    progress: () => undefined,
    provenance: [],
  })
  await mkdir(join(root, 'result'))
  await run('tar', ['xf', join(root, 'bundles/result.tar'), '-C', join(root, 'result')])
  return (path: string) => readFile(join(root, 'result/data', path), 'utf8')
}

function eventOf(program: string, paths: readonly string[]): Event {
  const files = paths.map((path) => ({
    destinationTable: 'Files',
    name: path.split('/').at(-1),
    subdir: path.split('/').slice(0, -1).join('/'),
    mimetype: mimetypeOf(path),
  }))
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: 'http://metadata.pacifica.org/transactions?_id=67',
      eventID: 'metadata.ingest.67',
      data: [
        { destinationTable: 'Transactions._id', value: 67 },
        { destinationTable: 'TransactionKeyValue', key: 'example-command', value: program },
        ...files,
      ],
    }),
  )
}

test('the shell script counts the lines of text files, whatever their names are', async () => {
  const names = { 'a/$(x) b.txt': 'one\ntwo\n', "it's.txt": '', 'ü.csv': '1\n', 'no.bin': '\n' }
  const result = await handle('count-lines', names)
  expect((await result('lines.tsv')).split('\n').sort()).toEqual(
    ['', "0\tit's.txt", '1\tü.csv', '2\ta/$(x) b.txt'].sort(),
  )
  expect(said).toContainEqual({ message: 'command.stdout', line: 'counted 3 files' })
})

async function hasPython(): Promise<boolean> {
  return await run('python3', ['--version']).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      expect(error.code).toBe('ENOENT')
      return false
    },
  )
}

const TABLES = { 'runs/größe.csv': 'größe,n\n1.5,1\n2.5,2\n', 'b.csv': 'x\n1\n1\n2\n', 'c.txt': '' }

test('the Python program, where there is Python, writes the means of each table', async () => {
  if (!(await hasPython())) return
  const result = await handle('column-means', TABLES)
  expect(JSON.parse(await result('runs/größe.means.json'))).toEqual({ größe: 2, n: 1.5 })
  expect(JSON.parse(await result('b.means.json'))).toEqual({ x: 1.333 })
  expect(await result('log/column-means.txt')).toBe(
    'transaction 67: b.csv\ntransaction 67: runs/größe.csv\n',
  )
})

test('what the Python program cannot read fails the task with its own words', async () => {
  if (!(await hasPython())) return
  await expect(handle('column-means', { 'bad.csv': 'x\none\n' })).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    exitCode: 1,
    stderr: "bad.csv: could not convert string to float: 'one'",
  })
})
