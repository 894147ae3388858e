/** Random trees through a bundle, an archive and a cart; their bundles held against other tars' readers. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needPython, PYTHON_MS } from '../../../../test/harness/python.ts'
import { startCartd } from '../../../../test/pacifica/cartd.ts'
import { startIngest } from '../../../../test/pacifica/ingest.ts'
import { listFiles } from '../bundle/list-files.ts'
import { bundleSize } from '../bundle/pack.ts'
import { RemoteDownloaderRunner } from '../download/remote-downloader-runner.ts'
import { File } from '../models/file.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { LocalUploaderRunner } from '../upload/local-uploader-runner.ts'
import { RemoteUploaderRunner } from '../upload/remote-uploader-runner.ts'

const run = promisify(execFile)
const QUICK = { pauses: { firstMs: 2, mostMs: 10 } }
const SUBJECT = {
  transaction: new Transaction({ submitter: 10, project: '1234é' }),
  keyValues: [new TransactionKeyValue({ key: 'Tag', value: 'パソ' })],
}

/** Any name that Linux has: no NUL, no slash, up to 255 bytes. */
const NAME = fc
  .oneof(
    { weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }) },
    { weight: 1, arbitrary: fc.string({ minLength: 80, maxLength: 120 }) },
  )
  .map((name) => name.replace(/[\0/\ufffd]/g, '_'))
  .filter((name) => name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255)
const PATH = fc.array(NAME, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const CONTENT = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }),
  fc.integer({ min: 0, max: 400_000 }).map((size) => new Uint8Array(size).fill(size % 251)),
)
const TREE = fc
  .array(fc.tuple(PATH, CONTENT), { maxLength: 8 })
  .map((files) => new Map(files.map(([path, bytes]) => [path, Buffer.from(bytes)])))
  .filter((tree) => [...tree.keys()].every((path) => isNoFolder(path, tree)))

function isNoFolder(path: string, tree: ReadonlyMap<string, Buffer>): boolean {
  return ![...tree.keys()].some((other) => other.startsWith(`${path}/`))
}

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-there-'))
})
afterEach(() => rm(root, { recursive: true }))

async function plant(tree: ReadonlyMap<string, Buffer>): Promise<string> {
  const folder = await mkdtemp(join(root, 'tree-'))
  for (const [path, content] of tree) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

async function harvest(folder: string): Promise<Map<string, string>> {
  const files = await listFiles(folder)
  const read = files.map(async ({ path, location }) => [path, await hexOf(location)] as const)
  return new Map(await Promise.all(read))
}

async function hexOf(path: string): Promise<string> {
  return (await readFile(path)).toString('hex')
}

function hexes(tree: ReadonlyMap<string, Buffer>): Map<string, string> {
  return new Map([...tree].map(([path, content]) => [path, content.toString('hex')]))
}

test('any tree comes back from Ingest through Cartd as it was', async () => {
  const ingest = await startIngest()
  const uploader = new RemoteUploaderRunner(ingest.url, QUICK)
  const thereAndBack = async (tree: ReadonlyMap<string, Buffer>, format: 'pax' | 'gnu') => {
    await uploader.upload(await plant(tree), SUBJECT)
    const bundle = ingest.jobs.at(-1)?.bundle
    expect(bundle?.failure).toBeUndefined()
    const archived = (bundle?.members ?? []).map(({ name, content }, id) => ({
      id,
      path: name.replace(/^data\//, ''),
      content,
    }))
    const cartd = await startCartd(archived, { faults: () => ({ format }) })
    const task = await mkdtemp(join(root, 'task-'))
    try {
      const files = archived.map(({ id, path, content }) => fileOf(id, path, content))
      await new RemoteDownloaderRunner(cartd.url, QUICK).download(task, files)
    } finally {
      await cartd.close()
    }
    expect(await harvest(join(task, 'data')).catch(() => new Map())).toEqual(hexes(tree))
  }
  try {
    await fc.assert(fc.asyncProperty(TREE, fc.constantFrom('pax', 'gnu'), thereAndBack), {
      numRuns: 40,
    })
  } finally {
    await ingest.close()
  }
})

test('the length that is said beforehand is that of the bundle, to the byte', async () => {
  await fc.assert(
    fc.asyncProperty(TREE, fc.string(), async (tree, value) => {
      const keyValues = [new TransactionKeyValue({ key: 'k', value })]
      const subject = { ...SUBJECT, keyValues }
      const folder = await plant(tree)
      const { bundle } = await new LocalUploaderRunner(join(root, 'b')).upload(folder, subject)
      const size = bundleSize(await listFiles(folder), subject)
      expect(size).toBe((await readFile(bundle as string)).length)
    }),
    { numRuns: 60 },
  )
})

const PYTHON = `
import sys, tarfile
tarfile.open(sys.argv[1]).extractall(sys.argv[2])
`
test.each([
  ['tar', (bundle: string, target: string) => ['xf', bundle, '-C', target]],
  ['python3', (bundle: string, target: string) => ['-c', PYTHON, bundle, target]],
] as const)('%s unpacks our bundles', { timeout: PYTHON_MS }, async (program, argumentsFor) => {
  if (program === 'python3') await needPython()
  const unpack = async (tree: ReadonlyMap<string, Buffer>) => {
    const folder = await plant(tree)
    const { bundle } = await new LocalUploaderRunner(join(root, 'b')).upload(folder, SUBJECT)
    const target = await mkdtemp(join(root, 'unpacked-'))
    const env = { ...process.env, LC_ALL: 'C.UTF-8' }
    await run(program, argumentsFor(bundle as string, target), { env })
    expect(await readdir(target)).toContain('metadata.txt')
    expect(await harvest(join(target, 'data')).catch(() => new Map())).toEqual(hexes(tree))
  }
  await fc.assert(fc.asyncProperty(TREE, unpack), { numRuns: 15 })
})

function fileOf(_id: number, path: string, content: Buffer): File {
  const slash = path.lastIndexOf('/')
  return new File({
    _id,
    subdir: path.slice(0, Math.max(slash, 0)),
    name: path.slice(slash + 1),
    size: content.length,
    hashtype: 'sha1',
    hashsum: createHash('sha1').update(content).digest('hex'),
  })
}
