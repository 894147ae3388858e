/** Random bytes, and honest tars with random bytes in them, as carts: our own errors, and nothing outside the folder. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TYPES, tarOf } from '../../../../test/pacifica/tar.ts'
import { Workspace } from '../bundle/workspace.ts'
import { archivedFile } from './downloader.contract.ts'
import { openIncoming } from './incoming.ts'
import { receiveCart } from './receive-cart.ts'
import { wantedFiles } from './wanted-files.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-hostile-'))
})
afterEach(() => rm(root, { recursive: true }))

const FILES = wantedFiles([archivedFile('top.txt'), archivedFile('a/b/foo.txt')])
const HONEST = tarOf([
  { name: 'data/', type: 'directory' },
  { name: 'data/top.txt', content: Buffer.from('top'), mtime: 1.5 },
  { name: 'data/a/b/foo.txt', content: Buffer.from('foo') },
])
const OUR_CODES = ['CART_BROKEN', 'CART_MEMBER', 'DOWNLOAD_TOO_LARGE']

/** What came of it; whatever came, only right files are in the folder, and nothing beside it. */
async function receive(tar: Buffer, cuts: readonly number[]): Promise<string> {
  const task = join(root, 'task')
  await mkdir(task)
  const wanted = new Map(
    [...FILES].map(([path, file]) => [path, { ...file, place: join(task, 'data', path) }]),
  )
  const incoming = await openIncoming(new Workspace(task))
  const watch = { signal: new AbortController().signal, moved() {}, heard() {}, doing() {} }
  const counts = { onBytes() {}, onKept() {}, maxTarBytes: 10_000_000 }
  try {
    const chunks = Readable.from(pieces(tar, cuts))
    const problems = await receiveCart(chunks, { wanted, incoming, watch, ...counts })
    return problems.length === 0 ? 'all there' : 'problems'
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error)
  } finally {
    await incoming.close()
    expect(await readdir(root)).toEqual(['task'])
    for (const path of FILES.keys()) {
      const content = await readFile(join(task, 'data', path), 'utf8').catch(() => undefined)
      expect(content === undefined || content === path.match(/(\w+)\.txt/)?.[1]).toBe(true)
    }
    await rm(task, { recursive: true })
  }
}

function pieces(tar: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (tar.length + 1)), tar.length].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => tar.subarray(places[index], place))
}

const CUTS = fc.array(fc.nat(10_000), { maxLength: 6 })

test('an honest cart is taken in whatever pieces it comes', async () => {
  await fc.assert(
    fc.asyncProperty(CUTS, async (cuts) => {
      expect(await receive(HONEST, cuts)).toBe('all there')
    }),
    { numRuns: 50 },
  )
  expect(await receive(HONEST, Array.from(HONEST.keys()))).toBe('all there')
})

test('random bytes are a broken cart', async () => {
  const bytes = fc.uint8Array({ maxLength: 5_000 }).map((array) => Buffer.from(array))
  await fc.assert(
    fc.asyncProperty(bytes, CUTS, async (tar, cuts) => {
      expect(OUR_CODES).toContain(await receive(tar, cuts))
    }),
    { numRuns: 150 },
  )
})

test('an honest cart with random bytes in it, or cut off, brings right files or none', async () => {
  const change = fc.record({
    at: fc.nat(HONEST.length - 1),
    byte: fc.integer({ min: 0, max: 255 }),
  })
  const changes = fc.array(change, { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(changes, fc.nat(HONEST.length), CUTS, async (all, length, cuts) => {
      const tar = Buffer.from(HONEST.subarray(0, length % 3 === 0 ? length : undefined))
      for (const { at, byte } of all) if (at < tar.length) tar[at] = byte
      expect([...OUR_CODES, 'all there', 'problems']).toContain(await receive(tar, cuts))
    }),
    { numRuns: 300 },
  )
})

test('members of any name, kind and size leave nothing outside', async () => {
  const part = fc.constantFrom(
    '..',
    '.',
    '',
    'data',
    'top.txt',
    'a',
    'C:',
    'x\\..\\y',
    '~',
    '\0',
    'é',
  )
  const member = fc.record({
    name: fc.array(part, { maxLength: 5 }).map((parts) => parts.join('/')),
    type: fc.constantFrom(...(Object.keys(TYPES) as (keyof typeof TYPES)[])),
    linkname: fc.constantFrom('', '/etc/passwd', '../..', 'top.txt'),
    content: fc.uint8Array({ maxLength: 600 }),
    size: fc.constantFrom(undefined, undefined, 0, 3, 511, 2 ** 33, 2 ** 52),
  })
  const members = fc.array(member, { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(members, fc.constantFrom('pax', 'gnu'), async (all, format) => {
      const honest = { name: 'data/top.txt', content: Buffer.from('top') }
      const given = all.map(({ size, ...one }) => (size === undefined ? one : { ...one, size }))
      const tar = tarOf([honest, ...given], format)
      expect([...OUR_CODES, 'problems']).toContain(await receive(tar, []))
    }),
    { numRuns: 300 },
  )
})
