import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DownloadTooLargeError, File, LocalDownloaderRunner } from '@pacifica/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
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

function downloader(maxBytes: number) {
  const taken: unknown[] = []
  const progress: unknown[] = []
  const needs = {
    downloader: new LocalDownloaderRunner(join(folder, 'archive')),
    taken: async (noted: unknown) => void taken.push(noted),
    cart: async () => undefined,
    progress: (now: unknown) => void progress.push(now),
  }
  return { taken, progress, task: new TaskDownloader(needs, maxBytes) }
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
