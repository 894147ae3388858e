import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BundleEntryError, BundleFileChangedError } from '../bundle/errors.ts'
import { listFiles } from '../bundle/list-files.ts'
import { packBundle } from '../bundle/pack.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { LocalUploaderRunner } from './local-uploader-runner.ts'
import { uploaderContract } from './uploader.contract.ts'

const run = promisify(execFile)
const NEVER = new AbortController().signal
const SUBJECT = {
  transaction: new Transaction({ submitter: 10, project: '1234é', instrument: 54 }),
  keyValues: [new TransactionKeyValue({ key: 'Tag', value: 'Blah' })],
}
const FILES: Record<string, Buffer> = {
  'a/b/foo.txt': Buffer.from('0123456789'),
  'bar.bin': randomBytes(700_001),
  'empty.txt': Buffer.alloc(0),
  [`${'long/'.repeat(60)}n.txt`]: Buffer.from('long'),
  [`${'x'.repeat(200)}.txt`]: Buffer.from('one long name'),
  'line\nbreak': Buffer.from('odd'),
  'パソ/café.csv': Buffer.from('1,é'),
}

uploaderContract('LocalUploaderRunner', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-bundles-'))
  return {
    runner: new LocalUploaderRunner(folder),
    async arrived() {
      const names = await readdir(folder)
      return await Promise.all(names.map((name) => bundleAt(join(folder, name))))
    },
    close: () => rm(folder, { recursive: true }),
  }
})

async function bundleAt(path: string) {
  const found = [...(await membersOf(path))].map(([name, content]) => ({ name, content }))
  const last = found.pop()
  expect(last?.name).toBe('metadata.txt')
  const { size: bytes } = await stat(path)
  return { members: found, metadata: JSON.parse(String(last?.content)), bytes }
}

let root = ''
let source = ''
let bundles = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-upload-'))
  source = join(root, 'uploads')
  bundles = join(root, 'bundles')
  await mkdir(source)
})
afterEach(() => rm(root, { recursive: true }))

async function put(path: string, content: string | Buffer): Promise<string> {
  const target = join(source, path)
  await mkdir(dirname(target), { recursive: true })
  await writeFile(target, content)
  return target
}

async function upload(): Promise<string> {
  const { bundle } = await new LocalUploaderRunner(bundles).upload(source, SUBJECT)
  return bundle as string
}

async function membersOf(path: string): Promise<Map<string, Buffer>> {
  const archive = extract()
  createReadStream(path)
    .on('data', (chunk) => archive.write(chunk))
    .on('end', () => archive.end(null))
  const members = new Map<string, Buffer>()
  for await (const entry of archive) {
    members.set(entry.header.name, await buffer(entry as AsyncIterable<Buffer>))
  }
  return members
}

test('GNU tar reads the bundle', async () => {
  for (const [path, content] of Object.entries(FILES)) await put(path, content)
  const bundle = await upload()
  const target = join(root, 'unpacked')
  await mkdir(target)
  await run('tar', ['xf', bundle, '-C', target])
  for (const [path, content] of Object.entries(FILES)) {
    expect((await readFile(join(target, 'data', path))).equals(content), path).toBe(true)
  }
})

test('times are kept in UTC seconds, also before 1970 and after 2038', async () => {
  const times = {
    old: '1960-01-02T03:04:05',
    now: '2018-08-30T15:19:40',
    far: '2100-01-02T03:04:05',
  }
  for (const [name, time] of Object.entries(times)) {
    await utimes(await put(name, name), new Date(`${time}Z`), new Date(`${time}Z`))
  }
  const bundle = await upload()
  const metadata: Record<string, unknown>[] = JSON.parse(
    String((await membersOf(bundle)).get('metadata.txt')),
  )
  const found = metadata.slice(4).map(({ name, mtime }) => [name, mtime])
  expect(Object.fromEntries(found)).toEqual(times)
  const format = ['--utc', '--full-time', '-tvf', bundle]
  const { stdout } = await run('tar', format, { env: { ...process.env, TZ: 'UTC' } })
  for (const time of Object.values(times)) expect(stdout).toContain(time.replace('T', ' '))
})

test('the result names the bundle; there is no job, and nothing else is left in the folder', async () => {
  await put('a.txt', 'a')
  const runner = new LocalUploaderRunner(bundles, { name: () => 'task-1' })
  const result = await runner.upload(source, SUBJECT)
  expect(result).toEqual({ bundle: join(bundles, 'task-1.tar'), jobId: undefined, state: {} })
  await put('b.txt', 'b')
  await runner.upload(source, SUBJECT)
  expect(await readdir(bundles)).toEqual(['task-1.tar'])
  const members = await membersOf(join(bundles, 'task-1.tar'))
  expect([...members.keys()]).toEqual(['data/a.txt', 'data/b.txt', 'metadata.txt'])
})

test('a file that grows or shrinks while it is bundled is an error that names it', async () => {
  const path = await put('big.bin', randomBytes(1_000_000))
  const files = await listFiles(source)
  await appendFile(path, 'more')
  const grown = buffer(packBundle(files, SUBJECT, NEVER))
  await expect(grown).rejects.toThrow(BundleFileChangedError)
  await expect(grown).rejects.toThrow(
    '"big.bin" changed while it was read: 1000000 bytes at first, then 1000004',
  )
  await truncate(path, 999_999)
  await expect(buffer(packBundle(files, SUBJECT, NEVER))).rejects.toThrow('then 999999')
})

test('a failed upload leaves nothing behind', async () => {
  await put('a.txt', 'a')
  await symlink('nowhere', join(source, 'dangling'))
  await expect(upload()).rejects.toThrow(BundleEntryError)
  expect(await readdir(bundles)).toEqual([])
  await rm(join(source, 'dangling'))
  const path = await put('gone-soon.txt', 'x')
  const bundle = packBundle(await listFiles(source), SUBJECT, NEVER)
  await rm(path)
  await expect(buffer(bundle)).rejects.toThrow('ENOENT')
})

test('an aborted upload rejects with the reason and leaves nothing behind', async () => {
  await put('big.bin', randomBytes(2_000_000))
  const cancel = new AbortController()
  const cancelled = () => {
    cancel.abort(new Error('cancelled'))
    return 'name'
  }
  const runner = new LocalUploaderRunner(bundles, { name: cancelled })
  const uploading = runner.upload(source, { ...SUBJECT, signal: cancel.signal })
  await expect(uploading).rejects.toThrow('cancelled')
  expect(await readdir(bundles)).toEqual([])
})

test('an abort in the middle of the bytes ends them with the reason', async () => {
  await put('big.bin', randomBytes(5_000_000))
  const cancel = new AbortController()
  const bundle = packBundle(await listFiles(source), SUBJECT, cancel.signal)
  const read = async () => {
    for await (const _chunk of bundle) cancel.abort(new Error('cancelled'))
  }
  await expect(read()).rejects.toThrow('cancelled')
})

test('a link to a file of the folder is that file; anything that leaves it is refused', async () => {
  await put('a.txt', 'a')
  await symlink('a.txt', join(source, 'b.txt'))
  const members = await membersOf(await upload())
  expect(String(members.get('data/b.txt'))).toBe('a')
  await writeFile(join(root, 'secret'), 'secret')
  await symlink(join(root, 'secret'), join(source, 'c.txt'))
  await expect(upload()).rejects.toThrow('"c.txt" cannot be bundled: it is a link that leaves')
})

test('what is no file is refused', async () => {
  const server = createServer().listen(join(source, 'socket'))
  await new Promise((resolve) => server.once('listening', resolve))
  await expect(upload()).rejects.toThrow('"socket" cannot be bundled: it is neither a file')
  await new Promise((resolve) => server.close(resolve))
})

test('a reader that goes away ends the packing', async () => {
  await put('big.bin', randomBytes(5_000_000))
  const bundle = packBundle(await listFiles(source), SUBJECT, NEVER)
  for await (const _chunk of bundle) break
  expect(bundle.destroyed).toBe(true)
})
