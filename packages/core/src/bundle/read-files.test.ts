import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readlink, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BundleFile, listFiles } from './list-files.ts'
import { type FileRead, type Filled, readFiles, type Wanted } from './read-files.ts'
import { readInThread } from './read-in-thread.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-read-'))
})
afterEach(() => rm(root, { recursive: true }))

async function plant(contents: readonly Buffer[]): Promise<BundleFile[]> {
  const folder = await mkdtemp(join(root, 'tree-'))
  for (const [index, content] of contents.entries()) {
    const path = join(folder, `${String(index % 3)}/${String(index).padStart(6, '0')}`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  return await listFiles(folder)
}

/** Rooms of all sizes, also none. */
function wantedOf(files: readonly BundleFile[]): Wanted[] {
  return files.map((file, index) => ({ file, room: (index * 517) % 2_001 }))
}

interface Everything {
  /** Of all bytes, each room filled with its file's number. */
  readonly sha1: string
  readonly rooms: number
  readonly read: readonly FileRead[]
}

async function readAll(
  read: (wanted: readonly Wanted[]) => AsyncIterable<Filled>,
  files: readonly BundleFile[],
): Promise<Everything> {
  const wanted = wantedOf(files)
  const hash = createHash('sha1')
  const done: FileRead[] = []
  let begun = 0
  for await (const { bytes, rooms, read: some } of read(wanted)) {
    for (const at of rooms) {
      bytes.fill(begun % 251, at, at + (wanted[begun]?.room ?? 0))
      begun += 1
    }
    hash.update(bytes)
    done.push(...some)
  }
  return { sha1: hash.digest('hex'), rooms: begun, read: done }
}

/** What `readAll` is to find. */
function everythingOf(files: readonly BundleFile[], contents: readonly Buffer[]): Everything {
  const hash = createHash('sha1')
  const read = wantedOf(files).map(({ file, room }, index) => {
    const content = contents[Number(file.path.split('/')[1])] as Buffer
    hash.update(Buffer.alloc(room, index % 251)).update(content)
    return { file, sha1: createHash('sha1').update(content).digest('hex') }
  })
  return { sha1: hash.digest('hex'), rooms: files.length, read }
}

/** Around the sizes of the buffers, and anywhere. */
const SIZE = fc.oneof(
  fc.constantFrom(0, 1, 256 * 1024, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1),
  fc.nat({ max: 3_000 }),
  fc.nat({ max: 3_000_000 }),
)

test('the bytes, the rooms and the hashes are right with a thread and without, whatever the sizes', async () => {
  const sizes = fc.array(SIZE, { minLength: 1, maxLength: 12 })
  const right = async (list: readonly number[], seed: number) => {
    const contents = list.map((size, index) => Buffer.alloc(size, `${seed}.${index}`))
    const files = await plant(contents)
    const everything = everythingOf(files, contents)
    expect(await readAll(readFiles, files)).toEqual(everything)
    expect(await readAll(readInThread, files)).toEqual(everything)
  }
  await fc.assert(fc.asyncProperty(sizes, fc.nat(), right), { numRuns: 12 })
})

test('thousands of small and empty files come in their order', async () => {
  const contents = Array.from({ length: 3_000 }, (_, index) => Buffer.alloc(index % 7, 'x'))
  const files = await plant(contents)
  const everything = everythingOf(files, contents)
  expect(await readAll(readFiles, files)).toEqual(everything)
  expect(await readAll(readInThread, files)).toEqual(everything)
})

describe.each([
  ['in a thread', readInThread],
  ['without one', readFiles],
])('reading %s', (_how, read) => {
  test('a file that is written to between two looks is an error that names it', async () => {
    const files = await plant([Buffer.alloc(10), Buffer.alloc(10)])
    await utimes(files[1]?.location as string, new Date(), new Date(Date.now() + 5_000))
    await expect(readAll(read, files)).rejects.toMatchObject({
      code: 'BUNDLE_FILE_CHANGED',
      path: files[1]?.path,
    })
  })

  test.each([
    ['shorter', 5],
    ['longer', 2_000_000],
  ])('a file that has become %s is an error that says so', async (_what, size) => {
    const files = await plant([Buffer.alloc(10)])
    await writeFile(files[0]?.location as string, Buffer.alloc(size))
    await expect(readAll(read, files)).rejects.toMatchObject({
      code: 'BUNDLE_FILE_CHANGED',
      message: expect.stringContaining(`10 bytes at first, then ${size}`),
    })
  })

  test('a file that is gone is an error with its path', async () => {
    const files = await plant([Buffer.alloc(10)])
    await rm(files[0]?.location as string)
    const reading = readAll(read, files)
    await expect(reading).rejects.toMatchObject({ code: 'ENOENT', path: files[0]?.location })
  })

  test('who stops in the middle leaves no file open', async () => {
    const files = await plant([Buffer.alloc(9_000_000), Buffer.alloc(9_000_000)])
    for await (const _some of read(wantedOf(files))) {
      expect(await openFiles()).toContain(files[0]?.location)
      break
    }
    expect(await openFiles()).not.toContain(files[0]?.location)
  })
})

/** As Linux knows them, of this process and its threads. */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd')
  return await Promise.all(
    descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(String)),
  )
}
