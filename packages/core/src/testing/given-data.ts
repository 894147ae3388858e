/** The event's files of a run: from a folder that holds them as a cart does, or from the test itself. */
import { mkdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { Workspace } from '../bundle/workspace.ts'
import {
  DownloaderRunner,
  type DownloadOptions,
  type Opener,
} from '../download/downloader-runner.ts'
import { LocalDownloaderRunner } from '../download/local-downloader-runner.ts'
import type { File } from '../models/file.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import { DataFolderError } from './errors.ts'

/** Contents by path: `{ 'a/b.txt': 'text' }`. */
export type Contents = Readonly<Record<string, string | Uint8Array>>

/** A folder with the files below `data/`, each at `data/<subdir>/<name>`; or their contents. */
export type GivenData = string | URL | Contents

/** @param scratch where given contents are put; it exists */
export async function dataFolder(
  data: GivenData | undefined,
  scratch: string,
): Promise<string | undefined> {
  if (typeof data === 'string') return resolve(data)
  if (data instanceof URL) return fileURLToPath(data)
  if (data === undefined) return undefined
  const workspace = new Workspace(join(scratch, 'data'))
  await mkdir(workspace.folder)
  for (const [path, content] of Object.entries(data)) {
    const file = await workspace.create(path)
    file.end(content)
    await finished(file)
  }
  return scratch
}

/** Takes files from the run's folder, and says what to do when there is none. */
export class GivenDataRunner extends DownloaderRunner {
  readonly #folder: string | undefined
  readonly #told: (progress: TransferProgress) => void

  constructor(folder: string | undefined, told: (progress: TransferProgress) => void) {
    super()
    this.#folder = folder
    this.#told = told
  }

  override async download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    const source = new LocalDownloaderRunner(await checked(this.#folder, files))
    const onProgress = (progress: TransferProgress) => {
      this.#told(progress)
      options.onProgress?.(progress)
    }
    return await source.download(folder, files, { ...options, onProgress })
  }
}

/** Throws `DataFolderError`. */
async function checked(folder: string | undefined, files: readonly File[]): Promise<string> {
  if (folder === undefined) {
    const [first] = files
    const wanted = `the handler wants ${files.length} of the event's files (${first?.path ?? ''} …)`
    throw new DataFolderError(
      `${wanted}, and no folder was given that holds them: give one as "data" (run: --data DIR)`,
    )
  }
  if (await isFolder(join(folder, 'data'))) return folder
  if (!(await isFolder(folder))) throw new DataFolderError(`the data folder ${folder} is not there`)
  const meant =
    basename(folder) === 'data'
      ? `give the folder above it: ${dirname(folder)}`
      : 'put them there, each at data/<subdir>/<name> as the event says'
  throw new DataFolderError(
    `${folder} has no folder "data", in which the event's files lie: ${meant}`,
  )
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
