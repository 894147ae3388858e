import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CartNews,
  type DownloaderRunner,
  DownloadTooLargeError,
  File,
  LocalDownloaderRunner,
  RemoteDownloaderRunner,
} from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCartd } from '../../../../test/pacifica/cartd.ts'
import { TaskDownloader } from './task-downloader.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'task-downloader-'))
  await mkdir(join(folder, 'archive/data'), { recursive: true })
  await mkdir(join(folder, 'task'))
  for (const name of ['a', 'b']) await writeFile(join(folder, 'archive/data', name), '12345')
})
afterEach(() => rm(folder, { recursive: true }))

const FILES = ['a', 'b'].map((name) => new File({ _id: 1, name, size: 5 }))

function downloader(
  maxBytes: number,
  runner: DownloaderRunner = new LocalDownloaderRunner(join(folder, 'archive')),
) {
  const taken: unknown[] = []
  const progress: unknown[] = []
  const carts: string[] = []
  const needs = {
    downloader: runner,
    taken: async (noted: unknown) => void taken.push(noted),
    cart: async ({ step }: CartNews) => void carts.push(step),
    progress: (now: unknown) => void progress.push(now),
  }
  return { taken, progress, carts, task: new TaskDownloader(needs, maxBytes) }
}

test('what a download brings is noted while it comes and when it is there', async () => {
  const { taken, progress, task } = downloader(10)
  const told: unknown[] = []
  const openers = await task.download(join(folder, 'task'), FILES, {
    onProgress: (now) => void told.push(now),
  })
  expect(openers).toHaveLength(2)
  expect(taken).toEqual([{ files: 2, bytes: 10 }])
  expect(progress.at(-1)).toEqual({ step: 'download', done: 10, total: 10, unit: 'bytes' })
  expect(told.at(-1)).toEqual({ bytes: 10, total: 10 })
})

test.each([
  ['than the operator allows', 9, {}],
  ['than the handler wants', 99, { maxBytes: 9 }],
  ['than the operator allows, whatever the handler wants', 9, { maxBytes: 99 }],
])('a download of more %s fails with the numbers', async (_what, maxBytes, options) => {
  const { taken, task } = downloader(maxBytes)
  const downloading = task.download(join(folder, 'task'), FILES, options)
  await expect(downloading).rejects.toThrow(DownloadTooLargeError)
  await expect(downloading).rejects.toMatchObject({ bytes: 10, maxBytes: 9 })
  expect(taken).toEqual([])
})

test('what Cartd says of a cart is noted while it is waited for, and the cart until it is gone', async () => {
  const content = Buffer.from('12345')
  let asked = 0
  const faults = {
    get answers() {
      asked += 1
      return asked <= 3 ? { HEAD: 503 } : {}
    },
  }
  const cartd = await startCartd([{ id: 1, path: 'a', content }], { faults: () => faults })
  try {
    const pauses = { firstMs: 5, mostMs: 20 }
    const runner = new RemoteDownloaderRunner(cartd.url, { pauses })
    const { progress, carts, task } = downloader(10, runner)
    const hashsum = createHash('sha1').update(content).digest('hex')
    const file = new File({ _id: 1, name: 'a', size: 5, hashtype: 'sha1', hashsum })
    await task.download(join(folder, 'task'), [file])
    expect(progress[0]).toEqual({
      step: 'download',
      said: expect.stringMatching(/^HEAD .*answered 503/),
    })
    expect(progress.at(-1)).toEqual({ step: 'download', done: 5, total: 5, unit: 'bytes' })
    expect(carts).toEqual(['ordering', 'gone'])
  } finally {
    await cartd.close()
  }
})
