/** Carts as pacifica-cartd 0.7.0 streamed them; fixtures/ has them byte for byte. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCartd } from '../../../../test/pacifica/cartd.ts'
import { File, type FileAttributes } from '../models/file.ts'
import { RemoteDownloaderRunner } from './remote-downloader-runner.ts'

const fixture = (name: string) => readFile(new URL(`fixtures/${name}`, import.meta.url))
const FILES = (JSON.parse(String(await fixture('cart-files.json'))) as FileAttributes[]).map(
  (attributes) => new File(attributes),
)
const ARCHIVED = FILES.map(({ _id, path }) => ({
  id: Number(_id),
  path,
  content: Buffer.alloc(0),
}))

let task = ''
beforeEach(async () => {
  task = await mkdtemp(join(tmpdir(), 'pacifica-real-cart-'))
})
afterEach(() => rm(task, { recursive: true }))

test.each([
  ['cart-data.tar', FILES, 'PAX with float times and long names'],
  ['cart-data-gnu-py36.tar', FILES, 'GNU with long names'],
  ['cart-bundled.tar', FILES.slice(0, 1), 'its own id as the top folder'],
] as const)('%s unpacks: %3$s', async (name, files, _kind) => {
  const raw = await fixture(name)
  const cartd = await startCartd(ARCHIVED, { faults: () => ({ raw }) })
  try {
    await new RemoteDownloaderRunner(cartd.url).download(task, files)
    for (const { path, size } of files) {
      expect((await stat(join(task, 'data', path))).size, path).toBe(size)
    }
    expect(await readdir(task)).toEqual(['data'])
  } finally {
    await cartd.close()
  }
})
