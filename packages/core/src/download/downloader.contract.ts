/** What every DownloaderRunner does, whatever it takes the files from. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { File, type FileAttributes } from '../models/file.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import type { DownloaderRunner } from './downloader-runner.ts'

export interface Archive {
  readonly runner: DownloaderRunner
  close(): Promise<void>
}

/** Opens a runner whose archive has these files, by `<subdir>/<name>`. */
export type OpenArchive = (files: ReadonlyMap<string, Buffer>) => Promise<Archive>

const CONTENT = new Map(
  Object.entries({
    'top.txt': 'top',
    'a/b/foo.txt': 'foo',
    'a/b/パソ/café.csv': '1,é',
    'a/empty.bin': '',
    'A/Empty.bin': 'other',
    'line\nbreak "quoted" \\ .txt': 'odd',
    [`${'long/'.repeat(30)}n.txt`]: 'deep',
    [`${'x'.repeat(150)}.txt`]: 'long',
    'caf\u00e9.txt': 'composed',
    'cafe\u0301.txt': 'decomposed',
  }).map(([path, text]) => [path, Buffer.from(text)]),
)
const PATHS = [...CONTENT.keys()]

/** The file as an event speaks of it, unless `said` says otherwise. */
export function archivedFile(path: string, said: FileAttributes = {}): File {
  const content = CONTENT.get(path) ?? Buffer.alloc(0)
  const slash = path.lastIndexOf('/')
  return new File({
    _id: PATHS.indexOf(path) + 1,
    subdir: path.slice(0, Math.max(slash, 0)),
    name: path.slice(slash + 1),
    size: content.length,
    hashtype: 'sha1',
    hashsum: createHash('sha1').update(content).digest('hex'),
    ...said,
  })
}

export function downloaderContract(name: string, open: OpenArchive): void {
  describe(`${name}, as every downloader`, () => {
    let root = ''
    let task = ''
    let archive: Archive

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), 'pacifica-download-'))
      task = join(root, 'task')
      await mkdir(task)
      archive = await open(CONTENT)
    })
    afterEach(async () => {
      await archive.close()
      await rm(root, { recursive: true })
    })

    const ALL = PATHS.map((path) => archivedFile(path))

    test('gives openers in the order of the files, which may be called again', async () => {
      const files = [...ALL].reverse()
      const openers = await archive.runner.download(task, files)
      for (const _time of [1, 2]) {
        const read = await Promise.all(openers.map((opener) => buffer(opener())))
        expect(read.map(String)).toEqual([...CONTENT.values()].reverse().map(String))
      }
    })

    test('puts each file at data/<subdir>/<name>', async () => {
      await archive.runner.download(task, ALL)
      for (const [path, content] of CONTENT) {
        expect((await stat(join(task, 'data', path))).size, path).toBe(content.length)
      }
      expect(await readdir(task)).toEqual(['data'])
    })

    test('gives nothing for no file, and asks nobody', async () => {
      expect(await archive.runner.download(task, [])).toEqual([])
      expect(await readdir(task)).toEqual([])
    })

    test('gives one file twice when the event has it twice', async () => {
      const file = archivedFile('top.txt')
      const openers = await archive.runner.download(task, [file, file])
      const read = await Promise.all(openers.map((opener) => buffer(opener())))
      expect(read.map(String)).toEqual(['top', 'top'])
    })

    test('may be asked again for the same folder, and for more of it', async () => {
      await archive.runner.download(task, ALL.slice(0, 3))
      const openers = await archive.runner.download(task, ALL)
      expect(openers).toHaveLength(ALL.length)
    })

    test('names a file that has fewer bytes than the event says, and one that has more', async () => {
      const short = archive.runner.download(task, [archivedFile('top.txt', { size: 4 })])
      await expect(short).rejects.toMatchObject({
        name: 'FilesTruncatedError',
        code: 'FILES_TRUNCATED',
        files: [{ path: 'top.txt', reason: 'it has 3 bytes, the event says 4' }],
      })
      const long = archive.runner.download(task, [archivedFile('top.txt', { size: 2 })])
      await expect(long).rejects.toMatchObject({
        code: 'FILES_ALTERED',
        files: [{ path: 'top.txt', reason: 'it has 3 bytes, the event says 2' }],
      })
    })

    test.each([
      { name: '../../secret' },
      { name: 'secret', subdir: '../..' },
      { name: '..', subdir: 'a' },
      { name: 'a\0b' },
    ])('lets no name of an event leave the folder: %j', async (said) => {
      const download = archive.runner.download(task, [archivedFile('top.txt', said)])
      await expect(download).rejects.toMatchObject({ code: 'WORKSPACE_ESCAPE' })
      expect(await readdir(root)).toEqual(expect.not.arrayContaining(['secret']))
    })

    test('overwrites nothing', async () => {
      await mkdir(join(task, 'data'))
      await writeFile(join(task, 'data/top.txt'), 'mine')
      const download = archive.runner.download(task, ALL)
      await expect(download).rejects.toMatchObject({
        code: 'FILE_NAME_TAKEN',
        message: 'top.txt: another file of this name lies there already',
      })
    })

    test('tells how many bytes have come, up to all of them', async () => {
      const told: TransferProgress[] = []
      await archive.runner.download(task, ALL, { onProgress: (progress) => told.push(progress) })
      const total = ALL.reduce((sum, { size = 0 }) => sum + size, 0)
      expect(told.at(-1)).toEqual({ bytes: total, total })
      expect(told.every(({ bytes }, index) => bytes >= (told[index - 1]?.bytes ?? 0))).toBe(true)
    })

    test('takes what is as large as allowed, and says both numbers of what is larger', async () => {
      const files = [archivedFile('top.txt'), archivedFile('a/b/foo.txt')]
      await expect(archive.runner.download(task, files, { maxBytes: 5 })).rejects.toMatchObject({
        code: 'DOWNLOAD_TOO_LARGE',
        bytes: 6,
        maxBytes: 5,
        message: "the event's files have 6 bytes, and at most 5 are allowed",
      })
      expect(await readdir(task)).toEqual([])
      expect(await archive.runner.download(task, files, { maxBytes: 6 })).toHaveLength(2)
    })

    test('ends with the reason of a signal that is aborted', async () => {
      const signal = AbortSignal.abort(new Error('cancelled'))
      const download = async () => archive.runner.download(task, ALL, { signal })
      await expect(download()).rejects.toThrow('cancelled')
      expect(await readdir(task)).toEqual([])
    })
  })
}
