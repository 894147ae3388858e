/** The files of a join's events: of each slot from a folder of its own, or all from one. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DownloaderRunner,
  type DownloadOptions,
  type Opener,
} from '../download/downloader-runner.ts'
import type { Event } from '../events/event.ts'
import { File } from '../models/file.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import { DataFolderError } from './errors.ts'
import {
  type Contents,
  dataFolder,
  type GivenData,
  GivenDataRunner,
  isFolder,
} from './given-data.ts'

/**
 * A folder, in which a slot's files lie at `<slot>/data/<subdir>/<name>` if there is such a folder, else at
 * `data/<subdir>/<name>`; contents by path, for all events alike; or for each slot a folder or contents of its own.
 */
export type GivenJoinData<Slot extends string = string> =
  | GivenData
  | { readonly [Name in Slot]?: Contents | URL }

type Folders = ReadonlyMap<string, string | undefined>

/**
 * Where each slot's files lie.
 * @param scratch where given contents are put; it exists
 */
export async function joinFolders(
  data: GivenJoinData | undefined,
  slots: readonly string[],
  scratch: string,
): Promise<Folders> {
  const folders = new Map<string, string | undefined>()
  if (isBySlot(data)) {
    for (const slot of slots) {
      const own = join(scratch, slot)
      await mkdir(own)
      folders.set(slot, await dataFolder(data[slot], own))
    }
    return folders
  }
  const isFolderGiven = typeof data === 'string' || data instanceof URL
  const common = await dataFolder(data as GivenData | undefined, scratch)
  for (const slot of slots) {
    const own = isFolderGiven && common !== undefined && join(common, slot)
    folders.set(slot, own && (await isFolder(join(own, 'data'))) ? own : common)
  }
  return folders
}

function isBySlot(data: GivenJoinData | undefined): data is Record<string, Contents | URL> {
  if (typeof data !== 'object' || data instanceof URL) return false
  const values = Object.values(data)
  return (
    values.length > 0 &&
    values.every((value) => typeof value === 'object' && !(value instanceof Uint8Array))
  )
}

/** Takes each file from the folder of the event that tells of it. */
export class JoinDataRunner extends DownloaderRunner {
  readonly #told: (progress: TransferProgress) => void
  readonly #folders: Folders
  /** Which folders a file may lie in: one, unless two events tell of it alike. */
  readonly #places = new Map<string, Set<string | undefined>>()

  constructor(
    folders: Folders,
    events: ReadonlyMap<string, Event>,
    told: (progress: TransferProgress) => void,
  ) {
    super()
    this.#told = told
    this.#folders = folders
    for (const [slot, event] of events) {
      for (const file of filesOf(event)) {
        const places = this.#places.get(identity(file)) ?? new Set()
        this.#places.set(identity(file), places.add(folders.get(slot)))
      }
    }
  }

  override async download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    const openers = new Map<File, Opener>()
    const places = files.map((file) => this.#folderOf(file))
    for (const place of new Set(places)) {
      const group = files.filter((_file, index) => places[index] === place)
      const got = await new GivenDataRunner(place, this.#told).download(folder, group, options)
      for (const [index, file] of group.entries()) openers.set(file, got[index] as Opener)
    }
    return files.map((file) => openers.get(file) as Opener)
  }

  /** Throws `DataFolderError` when it may lie in several. */
  #folderOf(file: File): string | undefined {
    const places = [...(this.#places.get(identity(file)) ?? this.#folders.values())]
    if (places.length > 1 && file.hashsum === undefined && new Set(places).size > 1) {
      throw new DataFolderError(
        `${file.path} may lie in any of ${places.join(', ')}: several events tell of it alike; give their entries an _id or a hashsum`,
      )
    }
    return places[0]
  }
}

/** None of an event that tells of them wrongly: the handler will see the same, and say so. */
function filesOf(event: Event): readonly File[] {
  try {
    return File.fromEvent(event)
  } catch {
    return []
  }
}

function identity({ _id, subdir, name, size, hashsum }: File): string {
  return JSON.stringify([_id, subdir, name, size, hashsum])
}
