/** The bytes of a bundle's files, one file after the other, and their hashes: the obvious way. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { BundleFile } from './list-files.ts'
import { checkUnchanged } from './unchanged.ts'

const BUFFER = 256 * 1024

/** A file, and how many bytes are left free before its own: less than a buffer holds, and never cut in two. */
export interface Wanted {
  readonly file: BundleFile
  readonly room: number
}

/** The next bytes: good until more are asked for. Files come in their order, and so do their rooms. */
export interface Filled {
  readonly bytes: Buffer
  /** Where the rooms in `bytes` begin. Whatever lies there is to be written over. */
  readonly rooms: readonly number[]
  /** The files that have been read whole with these bytes. */
  readonly read: readonly FileRead[]
}

export interface FileRead {
  readonly file: BundleFile
  /** Hex. */
  readonly sha1: string
}

/** In the order given. Fails with `BundleFileChangedError`. */
export async function* readFiles(wanted: readonly Wanted[]): AsyncGenerator<Filled> {
  const filling = new Filling()
  for (const { file, room } of wanted) {
    if (filling.free.length < room) yield filling.take()
    filling.leave(room)
    yield* readFile(file, filling)
  }
  yield filling.take()
}

async function* readFile(file: BundleFile, filling: Filling): AsyncGenerator<Filled> {
  const handle = await open(file.location, 'r')
  try {
    const hash = createHash('sha1')
    let done = 0
    while (done < file.size) {
      if (filling.free.length === 0) yield filling.take()
      const bytes = filling.free.subarray(0, file.size - done)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, null)
      if (bytesRead === 0) break
      hash.update(bytes.subarray(0, bytesRead))
      filling.used += bytesRead
      done += bytesRead
    }
    const { size, mtime } = await handle.stat()
    const sha1 = hash.digest('hex')
    checkUnchanged(file, { read: done, size, modified: mtime.getTime(), sha1 })
    filling.read.push({ file, sha1 })
  } finally {
    await handle.close()
  }
}

/** A buffer that is being filled. */
class Filling {
  readonly #buffer = Buffer.allocUnsafe(BUFFER)
  used = 0
  rooms: number[] = []
  read: FileRead[] = []

  get free(): Buffer {
    return this.#buffer.subarray(this.used)
  }

  leave(room: number): void {
    this.rooms.push(this.used)
    this.used += room
  }

  /** What there is, and begins anew. */
  take(): Filled {
    const filled = {
      bytes: this.#buffer.subarray(0, this.used),
      rooms: this.rooms,
      read: this.read,
    }
    this.used = 0
    this.rooms = []
    this.read = []
    return filled
  }
}
