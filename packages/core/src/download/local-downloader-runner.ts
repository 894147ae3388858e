/**
 * Takes files from a folder of this machine, where they lie as in a tar from Cartd: `data/<subdir>/<name>`. For sites
 * that mount their archive, for the demo and for tests.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readlink, realpath, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Workspace } from '../bundle/workspace.ts'
import type { File } from '../models/file.ts'
import { type Watch, withDeadline } from '../transfer/deadline.ts'
import { DownloaderRunner, type DownloadOptions, type Opener } from './downloader-runner.ts'
import { FileNameTakenError, type UnavailableFile, unavailable } from './errors.ts'
import { createTally } from './tally.ts'

/** One of the archive's files. */
interface Source {
  readonly path: string
  readonly place: string
  readonly bytes: number
}

/** Takes files from a folder of this machine, where they lie at `data/<subdir>/<name>`. */
export class LocalDownloaderRunner extends DownloaderRunner {
  /** Its whole path. */
  readonly folder: string

  /** @param folder the folder that holds `data` */
  constructor(folder: string) {
    super()
    this.folder = resolve(folder)
  }

  /**
   * Copies nothing: below another folder than its own it makes links to its files. It checks that every file is there
   * and has the event's size, which costs one `stat`; hashes are not checked, since that would read all of it twice and
   * there is no transfer that could have spoilt it. Throws `FilesUnavailableError` or one of its kinds,
   * `FileNameTakenError`, `DownloadTooLargeError`, or `WorkspaceEscapeError`.
   */
  override download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    return withDeadline(`taking files from ${this.folder}`, options, async (watch) => {
      const sources = await this.#locate(files, watch)
      const total = sources.reduce((sum, { bytes }) => sum + bytes, 0)
      const tally = createTally(total, options)
      const own = (await realpath(folder)) === (await realpath(this.folder))
      const places: string[] = []
      for (const source of sources) {
        watch.signal.throwIfAborted()
        places.push(own ? source.place : await link(new Workspace(folder), source))
        watch.moved()
        tally.add(source.bytes)
      }
      return places.map((place) => () => createReadStream(place))
    })
  }

  async #locate(files: readonly File[], watch: Watch): Promise<Source[]> {
    const own = new Workspace(this.folder)
    const problems: UnavailableFile[] = []
    const sources: Source[] = []
    for (const file of files) {
      watch.signal.throwIfAborted()
      const place = await own.inside(`data/${file.path}`)
      const found = await look(place, file)
      if (typeof found === 'number') sources.push({ path: file.path, place, bytes: found })
      else problems.push(found)
      watch.moved()
    }
    if (problems.length > 0) throw unavailable(this.folder, problems)
    return sources
  }
}

/** The file's size, or why it cannot be had. */
async function look(place: string, { path, size }: File): Promise<number | UnavailableFile> {
  try {
    const stats = await stat(place)
    if (!stats.isFile()) return { path, reason: 'it is not a file', code: 'FILES_MISSING' }
    if (size === undefined || size === stats.size) return stats.size
    const reason = `it has ${stats.size} bytes, the event says ${size}`
    return { path, reason, code: stats.size < size ? 'FILES_TRUNCATED' : 'FILES_ALTERED' }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const gone = code === 'ENOENT' || code === 'ENOTDIR'
    const reason = gone ? 'it is not there' : `it cannot be read (${code})`
    return { path, reason, code: 'FILES_MISSING' }
  }
}

async function link(workspace: Workspace, { path, place }: Source): Promise<string> {
  // The parent is resolved, not the name: a link that an earlier download made leaves the folder, as it should.
  const parent = await workspace.inside(dirname(`data/${path}`))
  const name = join(parent, basename(path))
  await mkdir(parent, { recursive: true })
  try {
    await symlink(place, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!(await leadsTo(name, place))) {
      throw new FileNameTakenError(path, 'another file of this name lies there already')
    }
  }
  return name
}

async function leadsTo(path: string, source: string): Promise<boolean> {
  return (await readlink(path).catch(() => undefined)) === source
}
