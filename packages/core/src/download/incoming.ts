/**
 * Where files lie while they come in: under numbers in a folder of its own, beside `data`. A file gets its name when it
 * is whole and checked, so whatever has its name in the task's folder is right.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Workspace } from '../bundle/workspace.ts'
import { FileNameTakenError } from './errors.ts'
import type { PlacedFile } from './wanted-files.ts'

/** Enough to make the calls few, little enough to be in the cache still when the disk takes it. */
const BATCH_BYTES = 256 * 1024
const BATCH_CHUNKS = 64

/** A file that came in and has no name yet. */
export interface Received {
  readonly place: string
  readonly bytes: number
  /** Hex. */
  readonly hashsum: string
}

export interface Incoming {
  /** Writes all of `chunks`, hashing on the way; at most two batches are in memory. */
  receive(
    chunks: AsyncIterable<Buffer>,
    hashtype: string,
    onChunk: (bytes: number) => void,
  ): Promise<Received>
  /** Gives it its name. Throws `FileNameTakenError` when something has it: nothing is ever overwritten. */
  keep(received: Received, file: PlacedFile): Promise<void>
  drop(received: Received): Promise<void>
  /** Removes what was not kept. */
  close(): Promise<void>
}

export async function openIncoming(workspace: Workspace): Promise<Incoming> {
  const folder = await workspace.inside(`.incoming-${randomUUID()}`)
  await mkdir(folder, { recursive: true })
  const made = new Set<string>()
  let count = 0
  return {
    async receive(chunks, hashtype, onChunk) {
      count += 1
      const place = join(folder, String(count))
      const handle = await open(place, 'wx')
      try {
        return { place, ...(await writeAll(handle, chunks, hashtype, onChunk)) }
      } finally {
        await handle.close()
      }
    },
    async keep(received, { place, path }) {
      const parent = dirname(place)
      if (!made.has(parent)) await mkdir(parent, { recursive: true })
      made.add(parent)
      if ((await lstat(place).catch(absent)) !== undefined) throw nameTaken(path)
      await rename(received.place, place)
    },
    drop: (received) => rm(received.place),
    close: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/**
 * Whether the file lies in the folder already, as the event says. Throws `FileNameTakenError` when something else has
 * its name; on disks that do not tell `A` from `a`, that may be another of the event's files.
 */
export async function isThere(
  file: PlacedFile,
  onChunk: (bytes: number) => void,
): Promise<boolean> {
  const stats = await lstat(file.place).catch(absent)
  if (stats === undefined) return false
  if (!stats.isFile()) throw nameTaken(file.path)
  if (file.size !== undefined && file.size !== stats.size) throw nameTaken(file.path)
  const hash = createHash(file.hashtype)
  for await (const chunk of createReadStream(file.place, { highWaterMark: BATCH_BYTES })) {
    hash.update(chunk)
    onChunk(chunk.length)
  }
  if (hash.digest('hex') !== file.hashsum) throw nameTaken(file.path)
  return true
}

function nameTaken(path: string): FileNameTakenError {
  return new FileNameTakenError(path, 'another file of this name lies there already')
}

async function writeAll(
  handle: FileHandle,
  chunks: AsyncIterable<Buffer>,
  hashtype: string,
  onChunk: (bytes: number) => void,
): Promise<{ bytes: number; hashsum: string }> {
  const hash = createHash(hashtype)
  let bytes = 0
  let batch: Buffer[] = []
  let batched = 0
  let writing: Promise<void> = Promise.resolve()
  // The disk writes one batch while the next is hashed.
  const flush = async () => {
    await writing
    writing = writeBatch(handle, batch)
    writing.catch(() => undefined)
    batch = []
    batched = 0
  }
  try {
    for await (const chunk of chunks) {
      hash.update(chunk)
      batch.push(chunk)
      bytes += chunk.length
      batched += chunk.length
      onChunk(chunk.length)
      if (batched >= BATCH_BYTES || batch.length >= BATCH_CHUNKS) await flush()
    }
    if (batched > 0) await flush()
  } finally {
    await writing
  }
  return { bytes, hashsum: hash.digest('hex') }
}

async function writeBatch(handle: FileHandle, batch: readonly Buffer[]): Promise<void> {
  let left = batch
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left)
    left = after(left, bytesWritten)
  }
}

/** What is left of `batch` behind its first bytes. */
function after(batch: readonly Buffer[], bytes: number): Buffer[] {
  const left: Buffer[] = []
  let skip = bytes
  for (const chunk of batch) {
    if (skip < chunk.length) left.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return left
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
}
