/**
 * A bundle as Ingest takes it: a tar with `data/<path>` for every file, then `metadata.txt`. One pass: the hashes that
 * metadata.txt holds are computed while the files stream through, so nothing is read twice or kept.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type Header, type Pack, pack } from 'tar-stream'
import { BundleFileChangedError } from './errors.ts'
import type { BundleFile } from './list-files.ts'
import { type BundleSubject, type DescribedFile, metadataText } from './metadata.ts'

/** One file of the tar, being written; tar-stream's streams are not Node's own. */
type Member = ReturnType<Pack['entry']>

const CHUNK = 256 * 1024
/** The largest time that the header's signed 32 bits of tar-stream hold; others go into a PAX record. */
const LAST_SECOND = 2 ** 31 - 1

/**
 * The bundle's bytes. The stream fails with `BundleFileChangedError` when a file is no longer as large as listed, and
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
    const member = begin(archive, `data/${file.path}`, file.modified, file.size)
    described.push({ ...file, sha1: await copyInto(member, file) })
  }
  const text = Buffer.from(metadataText(subject, described))
  const metadata = begin(archive, 'metadata.txt', new Date(0), text.byteLength)
  await write(metadata, text)
  metadata.end(null)
  archive.finalize()
}

function begin(archive: Pack, name: string, modified: Date, size: number): Member {
  const seconds = Math.floor(modified.getTime() / 1000)
  const clamped = Math.min(Math.max(seconds, 0), LAST_SECOND)
  const header: Partial<Header> = { size, mode: 0o644, mtime: new Date(clamped * 1000) }
  if (clamped !== seconds) header.pax = { mtime: String(seconds) }
  const member = archive.entry({ name, ...header })
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
    // Beyond the size there may be more than was read; below it, what was read is all there is.
    const found = read > file.size ? Math.max(read, (await handle.stat()).size) : read
    if (found !== file.size) throw new BundleFileChangedError(file.path, file.size, found)
    member.end(null)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
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
