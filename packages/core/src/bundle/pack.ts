/**
 * A bundle as Ingest takes it: a tar with `data/<path>` for every file, then `metadata.txt`. One pass: the hashes that
 * metadata.txt holds are computed while the files stream through, so nothing is read twice or kept. Yet the length is
 * known before the first byte, since a hash is as long as any other.
 */
import { Readable } from 'node:stream'
import { FilledBuffers } from './filled-buffers.ts'
import type { BundleFile } from './list-files.ts'
import { type BundleSubject, type DescribedFile, metadataText } from './metadata.ts'
import { type FilePart, readFiles } from './read-files.ts'
import { readInThread } from './read-in-thread.ts'
import { END_OF_TAR, paddingAfter, type TarMember, tarHeader } from './tar-header.ts'

const CHUNK = 512 * 1024
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
    size += tarHeader(member).length + member.size + paddingAfter(member.size)
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
  const out = new FilledBuffers(CHUNK, signal)
  const described: DescribedFile[] = []
  let begun: BundleFile | undefined
  for await (const { file, bytes, sha1 } of partsOf(files)) {
    if (begun !== file) yield* out.append(tarHeader(memberOf(file)))
    begun = file
    yield* out.append(bytes)
    if (sha1 === undefined) continue
    described.push({ ...file, sha1 })
    yield* out.append(Buffer.alloc(paddingAfter(file.size)))
  }
  subject.onFiles?.(described)
  const text = Buffer.from(metadataText(subject, described))
  yield* out.append(tarHeader(metadataMember(text.length)))
  yield* out.append(text)
  yield* out.append(Buffer.alloc(paddingAfter(text.length)))
  yield* out.append(END_OF_TAR)
  yield* out.rest()
}

function memberOf({ path, size, modified }: BundleFile): TarMember {
  return { name: `data/${path}`, size, modified }
}

function metadataMember(size: number): TarMember {
  return { name: 'metadata.txt', size, modified: new Date(0) }
}

interface Told {
  readonly onFiles?: (files: readonly DescribedFile[]) => void
}

/** A thread takes some 20 ms to start: as long as it takes to read and hash these. */
const WORTH_A_THREAD = { bytes: 8 * 1024 * 1024, files: 200 }

function partsOf(files: readonly BundleFile[]): AsyncGenerator<FilePart> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const many = files.length >= WORTH_A_THREAD.files || bytes >= WORTH_A_THREAD.bytes
  return many ? readInThread(files) : readFiles(files)
}
