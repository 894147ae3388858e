/**
 * Takes files from a folder of this machine, where they lie as in a tar from Cartd: `data/<subdir>/<name>`. For sites
 * that mount their archive, for the demo and for tests.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readlink, realpath, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Workspace } from '../bundle/workspace.ts'
import type { File } from '../models/file.ts'
import { withDeadline } from '../transfer/deadline.ts'
import { DownloaderRunner, type DownloadOptions, type Opener } from './downloader-runner.ts'
import { FilesUnavailableError, type UnavailableFile } from './errors.ts'

export class LocalDownloaderRunner extends DownloaderRunner {
  readonly folder: string

  constructor(folder: string) {
    super()
    this.folder = resolve(folder)
  }

  /**
   * Copies nothing: below another folder than its own it makes links to its files. It checks that every file is there
   * and has the event's size, which costs one `stat`; hashes are not checked, since that would read all of it twice and
   * there is no transfer that could have spoilt it. Throws `FilesUnavailableError` or `WorkspaceEscapeError`.
   */
  override download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    return withDeadline(`taking files from ${this.folder}`, options, async (signal) => {
      const sources = await this.#locate(files, signal)
      const same = (await realpath(folder)) === (await realpath(this.folder))
      const paths = same ? sources : await linkAll(folder, files, sources, signal)
      return paths.map((path) => () => createReadStream(path))
    })
  }

  async #locate(files: readonly File[], signal: AbortSignal): Promise<string[]> {
    const own = new Workspace(this.folder)
    const unavailable: UnavailableFile[] = []
    const sources: string[] = []
    for (const file of files) {
      signal.throwIfAborted()
      const source = await own.inside(`data/${file.path}`)
      const reason = await whyNot(source, file)
      if (reason !== undefined) unavailable.push({ path: file.path, reason })
      sources.push(source)
    }
    if (unavailable.length > 0) throw new FilesUnavailableError(this.folder, unavailable)
    return sources
  }
}

async function whyNot(source: string, file: File): Promise<string | undefined> {
  try {
    const stats = await stat(source)
    if (!stats.isFile()) return 'it is not a file'
    if (file.size === undefined || file.size === stats.size) return undefined
    return `it has ${stats.size} bytes, the event says ${file.size}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'it is not there'
    return `it cannot be read (${code})`
  }
}

async function linkAll(
  folder: string,
  files: readonly File[],
  sources: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const workspace = new Workspace(folder)
  const links: string[] = []
  for (const [index, file] of files.entries()) {
    signal.throwIfAborted()
    links.push(await link(workspace, file.path, sources[index] as string))
  }
  return links
}

async function link(workspace: Workspace, name: string, source: string): Promise<string> {
  // The parent is resolved, not the name: a link that an earlier download made leaves the folder, as it should.
  const parent = await workspace.inside(dirname(`data/${name}`))
  const path = join(parent, basename(name))
  await mkdir(parent, { recursive: true })
  try {
    await symlink(source, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!(await leadsTo(path, source))) {
      throw new FilesUnavailableError(workspace.folder, [
        { path: name, reason: 'another file of this name lies there already' },
      ])
    }
  }
  return path
}

async function leadsTo(path: string, source: string): Promise<boolean> {
  return (await readlink(path).catch(() => undefined)) === source
}
