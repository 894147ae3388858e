/**
 * A bundle as Ingest takes it: a tar with `data/<path>` for every file, then `metadata.txt`. One pass: the hashes that
 * metadata.txt holds are computed while the files stream through, so nothing is read twice or kept. Yet the length is
 * known before the first byte, since a hash is as long as any other.
 */
import { Readable } from 'node:stream'
import type { BundleFile } from './list-files.ts'
import { type BundleSubject, type DescribedFile, metadataText } from './metadata.ts'
import { type Filled, readFiles, type Wanted } from './read-files.ts'
import { readInThread } from './read-in-thread.ts'
import { END_OF_TAR, paddingAfter, type TarMember, tarHeader, tarHeaderSize } from './tar-header.ts'

const CHUNK = 1024 * 1024
const ANY_SHA1 = '0'.repeat(40)

/**
 * How many bytes `packBundle` will give, exactly. Throws `TransactionDuplicateAttributeError` for a transaction with an
 * id.
 * @param files as `listFiles` returned them
 * @param subject whose the result is, and what is noted on it
 */
export function bundleSize(files: readonly BundleFile[], subject: BundleSubject): number {
  const described = files.map((file) => ({ ...file, sha1: ANY_SHA1 }))
  const text = Buffer.byteLength(metadataText(subject, described))
  let size = END_OF_TAR.length
  for (const member of [...files.map(memberOf), metadataMember(text)]) {
    size += tarHeaderSize(member) + member.size + paddingAfter(member.size)
  }
  return size
}

/**
 * The bundle's bytes. The stream fails with `BundleFileChangedError` when a file is no longer as it was listed, and
 * with the signal's reason when that aborts. `subject` is checked before the first byte.
 * @param files as `listFiles` returned them
 * @param subject whose the result is, and what is noted on it
 * @param signal ends the stream
 */
export function packBundle(
  files: readonly BundleFile[],
  subject: BundleSubject,
  signal: AbortSignal,
): Readable {
  metadataText(subject, [])
  signal.throwIfAborted()
  return Readable.from(copied(packBundleInPlace(files, subject, signal)), { objectMode: false })
}

async function* copied(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk)
}

/**
 * Like `packBundle`, for a reader that is done with a chunk when it asks for the next: new memory for every chunk would
 * cost more time than the hashes.
 * @param subject its `onFiles` is told what the bundle holds, before the chunk that ends it
 */
export async function* packBundleInPlace(
  files: readonly BundleFile[],
  subject: BundleSubject & Told,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const described: DescribedFile[] = []
  let begun = 0
  for await (const { bytes, rooms, read } of readAll(files)) {
    for (const at of rooms) {
      beforeFile(files, begun).copy(bytes, at)
      begun += 1
    }
    for (const { file, sha1 } of read) described.push({ ...file, sha1 })
    signal.throwIfAborted()
    if (bytes.length > 0) yield bytes
    signal.throwIfAborted()
  }
  subject.onFiles?.(described)
  const ending = afterFiles(files, metadataText(subject, described))
  for (let from = 0; from < ending.length; from += CHUNK) {
    yield ending.subarray(from, from + CHUNK)
    signal.throwIfAborted()
  }
}

interface Told {
  readonly onFiles?: (files: readonly DescribedFile[]) => void
}

/** What stands between a file's bytes and those of the file before it. */
function beforeFile(files: readonly BundleFile[], index: number): Buffer {
  const padding = Buffer.alloc(paddingAt(files, index))
  return Buffer.concat([padding, tarHeader(memberOf(files[index] as BundleFile))])
}

function afterFiles(files: readonly BundleFile[], metadata: string): Buffer {
  const text = Buffer.from(metadata)
  return Buffer.concat([
    Buffer.alloc(paddingAt(files, files.length)),
    tarHeader(metadataMember(text.length)),
    text,
    Buffer.alloc(paddingAfter(text.length)),
    END_OF_TAR,
  ])
}

/** How many zeros fill the last block of the file before this one. */
function paddingAt(files: readonly BundleFile[], index: number): number {
  return paddingAfter(files[index - 1]?.size ?? 0)
}

function memberOf({ path, size, modified }: BundleFile): TarMember {
  return { name: `data/${path}`, size, modified }
}

function metadataMember(size: number): TarMember {
  return { name: 'metadata.txt', size, modified: new Date(0) }
}

/** A thread takes some 20 ms to start: as long as it takes to read and hash these. */
const WORTH_A_THREAD = { bytes: 8 * 1024 * 1024, files: 200 }

function readAll(files: readonly BundleFile[]): AsyncGenerator<Filled> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const many = files.length >= WORTH_A_THREAD.files || bytes >= WORTH_A_THREAD.bytes
  const wanted = files.map((file, index): Wanted => {
    return { file, room: paddingAt(files, index) + tarHeaderSize(memberOf(file)) }
  })
  return many ? readInThread(wanted) : readFiles(wanted)
}
