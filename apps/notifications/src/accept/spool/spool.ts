/**
 * Where events wait while the database is away: files in DATA_DIR. Every process has a folder of its own, `spool/0`,
 * `spool/1`, …, the first that nobody holds, so that a process that is started again takes over what it left.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { batcher, FolderInUseError, FolderUnusableError, type Log } from '@pacifica/platform'
import { SpoolFolderError, SpoolFullError, SpoolUnwritableError } from './errors.ts'
import { SpoolFolder } from './folder.ts'
import { type Arrival, encodeRecord } from './record.ts'

export interface Spool {
  /**
   * Resolves when the event is on the disk.
   * @throws SpoolFullError, SpoolUnwritableError
   */
  add(arrival: Arrival): Promise<void>
  /** This process's own first, then what dead processes left. Undefined when nothing waits. */
  nextFolder(): SpoolFolder | undefined
  /** Looks for folders that nobody holds any more; those found are held until they are empty. */
  adopt(): void
  readonly waiting: { readonly files: number; readonly bytes: number; readonly setAside: number }
  /** Undefined when the last event that came here was kept, else why not. */
  trouble(): string | undefined
  close(): Promise<void>
}

export interface SpoolOptions {
  readonly folder: string
  readonly maxBytes: number
  readonly group: { readonly waitMs: number; readonly maxEvents: number; readonly maxBytes: number }
}

const MOST_PROCESSES = 1_000

interface Waiting {
  readonly record: Buffer
  readonly receivedMs: number
}

/** @throws SpoolFolderError, FolderUnusableError */
export function openSpool(needs: { log: Log }, options: SpoolOptions): Spool {
  const own = firstFree(options.folder)
  const adopted: SpoolFolder[] = []
  let reserved = 0
  let trouble: string | undefined
  const group = batcher<Waiting, undefined>(
    async (waiting) => {
      const content = Buffer.concat(waiting.map(({ record }) => record))
      await own.write(content, waiting[0]?.receivedMs ?? 0)
      return waiting.map(() => undefined)
    },
    {
      maxItems: options.group.maxEvents,
      maxBytes: options.group.maxBytes,
      sizeOf: ({ record }) => record.length,
      waitMs: options.group.waitMs,
      repeatSingly: () => false,
    },
  )

  /** Kept for the length of one write, so that many at once do not go past the limit together. */
  async function write(record: Buffer, receivedMs: number): Promise<void> {
    if (own.bytes + reserved + record.length > options.maxBytes) throw new SpoolFullError()
    reserved += record.length
    try {
      await group.add({ record, receivedMs })
    } catch (cause) {
      throw new SpoolUnwritableError(cause)
    } finally {
      reserved -= record.length
    }
  }

  return {
    async add(arrival) {
      try {
        await write(encodeRecord(arrival), arrival.received.getTime())
        trouble = undefined
      } catch (error) {
        trouble = (error as Error).message
        throw error
      }
    },
    nextFolder() {
      for (const folder of adopted.filter(({ count }) => count === 0)) {
        adopted.splice(adopted.indexOf(folder), 1)
        folder.release()
      }
      return [own, ...adopted].find(({ count }) => count > 0)
    },
    adopt() {
      const held = new Set([own, ...adopted].map(({ path }) => path))
      for (const folder of abandoned(options.folder, held)) {
        needs.log.warn({ folder: folder.path, files: folder.count }, 'spool.adopted')
        adopted.push(folder)
      }
    },
    get waiting() {
      const folders = [own, ...adopted]
      const sum = (of: (folder: SpoolFolder) => number) =>
        folders.reduce((total, folder) => total + of(folder), 0)
      return {
        files: sum(({ count }) => count),
        bytes: sum(({ bytes }) => bytes),
        setAside: sum(({ setAside }) => setAside),
      }
    },
    trouble: () => trouble,
    async close() {
      await group.close()
      for (const folder of [own, ...adopted]) folder.release()
    },
  }
}

function firstFree(root: string): SpoolFolder {
  for (let number = 0; number < MOST_PROCESSES; number += 1) {
    const folder = unlessInUse(join(root, String(number)))
    if (folder !== undefined) return folder
  }
  throw new SpoolFolderError(root, new Error(`${MOST_PROCESSES} processes use it already`))
}

/** Folders with events in them whose process is dead. */
function abandoned(root: string, held: ReadonlySet<string>): SpoolFolder[] {
  const found: SpoolFolder[] = []
  for (const name of readdirSync(root).filter((each) => /^\d+$/.test(each))) {
    const path = join(root, name)
    const isEmpty = !readdirSync(path).some((file) => file.endsWith('.events'))
    const folder = held.has(path) || isEmpty ? undefined : unlessInUse(path)
    if (folder?.count === 0) folder.release()
    else if (folder !== undefined) found.push(folder)
  }
  return found
}

function unlessInUse(path: string): SpoolFolder | undefined {
  try {
    return new SpoolFolder(path)
  } catch (error) {
    if (error instanceof FolderInUseError) return undefined
    throw error instanceof FolderUnusableError ? error : new SpoolFolderError(path, error)
  }
}
