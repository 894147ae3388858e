/**
 * A bundle as Ingest takes it: a tar with `data/<path>` for every file, then `metadata.txt`. One pass: the hashes that
 * metadata.txt holds are computed while the files stream through, so nothing is read twice or kept. Yet the length is
 * known before the first byte, since a hash is as long as any other.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type Pack, pack } from 'tar-stream'
import { BundleFileChangedError } from './errors.ts'
import type { BundleFile } from './list-files.ts'
import { type MemberHeader, memberHeader, tarSize } from './member-header.ts'
import { type BundleSubject, type DescribedFile, metadataText } from './metadata.ts'

/** One file of the tar, being written; tar-stream's streams are not Node's own. */
type Member = ReturnType<Pack['entry']>

const CHUNK = 256 * 1024
const ANY_SHA1 = '0'.repeat(40)

/**
 * How many bytes `packBundle` will give, exactly. Throws `TransactionDuplicateAttributeError` for a transaction with an
 * id.
 */
export function bundleSize(files: readonly BundleFile[], subject: BundleSubject): number {
  const described = files.map((file) => ({ ...file, sha1: ANY_SHA1 }))
  const text = Buffer.byteLength(metadataText(subject, described))
  return tarSize([...files.map(headerOf), metadataHeader(text)])
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
  const archive = pack()
  const abort = () => archive.destroy(signal.reason)
  signal.addEventListener('abort', abort)
  fill(archive, files, subject)
    .catch((error: Error) => archive.destroy(error))
    .finally(() => signal.removeEventListener('abort', abort))
  return Readable.from(archive, { objectMode: false })
}

async function fill(
  archive: Pack,
  files: readonly BundleFile[],
  subject: BundleSubject,
): Promise<void> {
  const described: DescribedFile[] = []
  for (const file of files) {
    const member = begin(archive, headerOf(file))
    described.push({ ...file, sha1: await copyInto(member, file) })
  }
  const text = Buffer.from(metadataText(subject, described))
  const metadata = begin(archive, metadataHeader(text.byteLength))
  await write(metadata, text)
  metadata.end(null)
  archive.finalize()
}

function headerOf({ path, size, modified }: BundleFile): MemberHeader {
  return memberHeader(`data/${path}`, size, modified)
}

function metadataHeader(size: number): MemberHeader {
  return memberHeader('metadata.txt', size, new Date(0))
}

function begin(archive: Pack, header: MemberHeader): Member {
  const member = archive.entry(header)
  // The archive fails with the same error; unheard here it would end the process.
  member.on('error', () => undefined)
  return member
}

/** Returns the file's SHA-1. */
async function copyInto(member: Member, file: BundleFile): Promise<string> {
  const handle = await open(file.location, 'r')
  try {
    const hash = createHash('sha1')
    let read = 0
    for await (const chunk of chunksOf(handle)) {
      read += chunk.byteLength
      if (read > file.size) break
      hash.update(chunk)
      await write(member, chunk)
    }
    await checkUnchanged(handle, file, read)
    member.end(null)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

/** Its time tells of bytes that were exchanged for others while the size stayed. */
async function checkUnchanged(handle: FileHandle, file: BundleFile, read: number): Promise<void> {
  const { size, mtime } = await handle.stat()
  const sizes = `${file.size} bytes at first, then ${read > file.size ? Math.max(read, size) : read}`
  if (read !== file.size) throw new BundleFileChangedError(file.path, sizes)
  if (mtime.getTime() === file.modified.getTime()) return
  const times = `written at ${file.modified.toISOString()}, and again at ${mtime.toISOString()}`
  throw new BundleFileChangedError(file.path, times)
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** Waits for room. When the reader goes away or the signal aborts, 'close' comes instead of 'drain'. */
async function write(member: Member, chunk: Uint8Array): Promise<void> {
  if (member.destroyed || member.destroying) throw new Error('the reader of the bundle went away')
  if (member.write(chunk)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      member.off('drain', done)
      member.off('close', done)
      resolve()
    }
    member.on('drain', done)
    member.on('close', done)
  })
}
