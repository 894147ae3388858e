import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readlink, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BundleFile, listFiles } from './list-files.ts'
import { type FilePart, readFiles } from './read-files.ts'
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

/** Of every file its path, its bytes' SHA-1 and length, and the SHA-1 that was said. */
async function readAll(parts: AsyncIterable<FilePart>): Promise<unknown[]> {
  const read: unknown[] = []
  let hash = createHash('sha1')
  let length = 0
  for await (const { file, bytes, sha1 } of parts) {
    hash.update(bytes)
    length += bytes.length
    if (sha1 === undefined) continue
    read.push([file.path, length, hash.digest('hex'), sha1])
    hash = createHash('sha1')
    length = 0
  }
  return read
}

/** Around the sizes of the buffers, and anywhere. */
const SIZE = fc.oneof(
  fc.constantFrom(0, 1, 256 * 1024, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1),
  fc.nat({ max: 3_000 }),
  fc.nat({ max: 3_000_000 }),
)

test('the thread reads what is read without it, whatever the sizes', async () => {
  const sizes = fc.array(SIZE, { minLength: 1, maxLength: 12 })
  const same = async (list: readonly number[], seed: number) => {
    const files = await plant(list.map((size, index) => Buffer.alloc(size, `${seed}.${index}`)))
    const obvious = await readAll(readFiles(files))
    expect(obvious).toEqual(
      files.map(({ path, size }) => [path, size, expect.anything(), expect.anything()]),
    )
    expect(await readAll(readInThread(files))).toEqual(obvious)
  }
  await fc.assert(fc.asyncProperty(sizes, fc.nat(), same), { numRuns: 12 })
})

test('thousands of small and empty files come in their order', async () => {
  const files = await plant(
    Array.from({ length: 3_000 }, (_, index) => Buffer.alloc(index % 7, 'x')),
  )
  expect(await readAll(readInThread(files))).toEqual(await readAll(readFiles(files)))
})

describe.each([
  ['in a thread', readInThread],
  ['without one', readFiles],
])('reading %s', (_how, read) => {
  test('a file that is written to between two looks is an error that names it', async () => {
    const files = await plant([Buffer.alloc(10), Buffer.alloc(10)])
    await utimes(files[1]?.location as string, new Date(), new Date(Date.now() + 5_000))
    await expect(readAll(read(files))).rejects.toMatchObject({
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
    await expect(readAll(read(files))).rejects.toMatchObject({
      code: 'BUNDLE_FILE_CHANGED',
      message: expect.stringContaining(`10 bytes at first, then ${size}`),
    })
  })

  test('a file that is gone is an error with its path', async () => {
    const files = await plant([Buffer.alloc(10)])
    await rm(files[0]?.location as string)
    const reading = readAll(read(files))
    await expect(reading).rejects.toMatchObject({ code: 'ENOENT', path: files[0]?.location })
  })

  test('who stops in the middle leaves no file open', async () => {
    const files = await plant([Buffer.alloc(9_000_000), Buffer.alloc(9_000_000)])
    for await (const part of read(files)) {
      expect(part.file).toBe(files[0])
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
