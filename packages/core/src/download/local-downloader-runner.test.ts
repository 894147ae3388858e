import { lstat, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WorkspaceEscapeError } from '../bundle/errors.ts'
import { File } from '../models/file.ts'
import { downloaderContract } from './downloader.contract.ts'
import { FilesUnavailableError } from './errors.ts'
import { LocalDownloaderRunner } from './local-downloader-runner.ts'

downloaderContract('LocalDownloaderRunner', async (files) => {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-archive-'))
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, 'data', path)), { recursive: true })
    await writeFile(join(folder, 'data', path), content)
  }
  return {
    runner: new LocalDownloaderRunner(folder),
    close: () => rm(folder, { recursive: true }),
  }
})

let root = ''
let archive = ''
let task = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-download-'))
  archive = join(root, 'archive')
  task = join(root, 'task')
  await mkdir(join(archive, 'data/a/b'), { recursive: true })
  await mkdir(task)
  await writeFile(join(archive, 'data/top.txt'), 'top')
  await writeFile(join(archive, 'data/a/b/foo.txt'), 'foo')
  await writeFile(join(archive, 'data/a/b/パソ.txt'), 'pc')
})
afterEach(() => rm(root, { recursive: true }))

const FILES = [
  new File({ name: 'パソ.txt', subdir: 'a/b', size: 2 }),
  new File({ name: 'top.txt', subdir: '' }),
  new File({ name: 'foo.txt', subdir: 'a/b/', size: 3 }),
]

test('openers come in the order of the files and may be called again', async () => {
  const openers = await new LocalDownloaderRunner(archive).download(task, FILES)
  for (const _time of [1, 2]) {
    expect(await Promise.all(openers.map((open) => text(open())))).toEqual(['pc', 'top', 'foo'])
  }
})

test('below another folder the files are links into the archive, also when taken twice', async () => {
  const runner = new LocalDownloaderRunner(archive)
  await runner.download(task, FILES)
  await runner.download(task, FILES.slice(1))
  const link = join(task, 'data/a/b/foo.txt')
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readlink(link)).toBe(join(archive, 'data/a/b/foo.txt'))
})

test('in its own folder nothing is linked', async () => {
  await symlink(archive, join(root, 'same'))
  const openers = await new LocalDownloaderRunner(archive).download(join(root, 'same'), FILES)
  expect(await Promise.all(openers.map((open) => text(open())))).toEqual(['pc', 'top', 'foo'])
  expect((await lstat(join(archive, 'data/top.txt'))).isFile()).toBe(true)
})

test('all files that cannot be had are named in one error, and nothing is linked', async () => {
  const files = [
    ...FILES,
    new File({ name: 'gone.txt', subdir: 'a' }),
    new File({ name: 'b', subdir: 'a' }),
    new File({ name: 'top.txt', size: 4 }),
    new File({ name: 'under-a-file', subdir: 'top.txt' }),
  ]
  const download = new LocalDownloaderRunner(archive).download(task, files)
  await expect(download).rejects.toThrow(FilesUnavailableError)
  await expect(download).rejects.toMatchObject({
    code: 'FILES_UNAVAILABLE',
    files: [
      { path: 'a/gone.txt', reason: 'it is not there' },
      { path: 'a/b', reason: 'it is not a file' },
      { path: 'top.txt', reason: 'it has 3 bytes, the event says 4' },
      { path: 'top.txt/under-a-file', reason: 'it is not there' },
    ],
  })
  await expect(lstat(join(task, 'data'))).rejects.toThrow('ENOENT')
})

test('no name in an event leaves the archive or the task, nor does a link', async () => {
  await writeFile(join(root, 'secret'), 'secret')
  await symlink(root, join(archive, 'data/out'))
  await mkdir(join(root, 'elsewhere'))
  const runner = new LocalDownloaderRunner(archive)
  for (const file of [
    new File({ name: '../../secret' }),
    new File({ name: 'secret', subdir: 'out' }),
    new File({ name: '..', subdir: 'a' }),
  ]) {
    await expect(runner.download(task, [file])).rejects.toThrow(WorkspaceEscapeError)
  }
  await symlink(join(root, 'elsewhere'), join(task, 'data'))
  await expect(runner.download(task, FILES)).rejects.toThrow(WorkspaceEscapeError)
})
