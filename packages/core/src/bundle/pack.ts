/**
 * A bundle as Ingest takes it: a tar with `data/<path>` for every file, then `metadata.txt`. One pass: the hashes that
 * metadata.txt holds are computed while the files stream through, so nothing is read twice or kept. Yet the length is
 * known before the first byte, since a hash is as long as any other.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { BundleFileChangedError } from './errors.ts'
import { FilledBuffers } from './filled-buffers.ts'
import type { BundleFile } from './list-files.ts'
import { type BundleSubject, type DescribedFile, metadataText } from './metadata.ts'
import { END_OF_TAR, paddingAfter, type TarMember, tarHeader } from './tar-header.ts'

const CHUNK = 256 * 1024
const ANY_SHA1 = '0'.repeat(40)

/**
 * How many bytes `packBundle` will give, exactly. Throws `TransactionDuplicateAttributeError` for a transaction with an
 * id.
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
 */
export function packBundle(
  files: readonly BundleFile[],
  subject: BundleSubject,
  signal: AbortSignal,
): Readable {
  metadataText(subject, [])
  signal.throwIfAborted()
  const chunks = bundleChunks(files, subject, signal, () => Buffer.allocUnsafe(CHUNK))
  return Readable.from(chunks, { objectMode: false })
}

/** Like `packBundle`, for a reader that is done with a chunk when it asks for the next but one. */
export function packBundleInPlace(
  files: readonly BundleFile[],
  subject: BundleSubject,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  // New memory for every chunk would cost more time than the hashes.
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  const next = (): Buffer => {
    buffers.reverse()
    return buffers[0] as Buffer
  }
  return bundleChunks(files, subject, signal, next)
}

async function* bundleChunks(
  files: readonly BundleFile[],
  subject: BundleSubject,
  signal: AbortSignal,
  nextBuffer: () => Buffer,
): AsyncGenerator<Buffer> {
  const out = new FilledBuffers(nextBuffer, signal)
  const described: DescribedFile[] = []
  for (const file of files) {
    yield* out.append(tarHeader(memberOf(file)))
    described.push({ ...file, sha1: yield* appendFile(out, file) })
    yield* out.append(Buffer.alloc(paddingAfter(file.size)))
  }
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

/** Returns the file's SHA-1. */
async function* appendFile(
  out: FilledBuffers,
  file: BundleFile,
): AsyncGenerator<Buffer, string, undefined> {
  const handle = await open(file.location, 'r')
  try {
    const hash = createHash('sha1')
    let read = 0
    while (read < file.size) {
      const bytes = yield* out.read(handle, file.size - read)
      if (bytes.length === 0) break
      hash.update(bytes)
      read += bytes.length
    }
    await checkUnchanged(handle, file, read)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

/** Its time tells of bytes that were exchanged for others while the size stayed. */
async function checkUnchanged(handle: FileHandle, file: BundleFile, read: number): Promise<void> {
  const { size, mtime } = await handle.stat()
  const found = read < file.size ? read : size
  if (found !== file.size) {
    const sizes = `${file.size} bytes at first, then ${found}`
    throw new BundleFileChangedError(file.path, sizes)
  }
  if (mtime.getTime() === file.modified.getTime()) return
  const times = `written at ${file.modified.toISOString()}, and again at ${mtime.toISOString()}`
  throw new BundleFileChangedError(file.path, times)
}
