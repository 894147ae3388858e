/** The bytes of a bundle's files, one file after the other, and their hashes: the obvious way. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { BundleFile } from './list-files.ts'
import { checkUnchanged } from './unchanged.ts'

const BUFFER = 256 * 1024

/** A file's next bytes: good until the next part is asked for. An empty file has one part, too. */
export interface FilePart {
  readonly file: BundleFile
  readonly bytes: Buffer
  /** SHA-1, hex; with the file's last part. */
  readonly sha1: string | undefined
}

/** In the order given. Fails with `BundleFileChangedError`. */
export async function* readFiles(files: readonly BundleFile[]): AsyncGenerator<FilePart> {
  const buffer = Buffer.allocUnsafe(BUFFER)
  for (const file of files) yield* readFile(file, buffer)
}

async function* readFile(file: BundleFile, buffer: Buffer): AsyncGenerator<FilePart> {
  const handle = await open(file.location, 'r')
  try {
    const hash = createHash('sha1')
    let read = 0
    while (read < file.size) {
      const most = Math.min(buffer.length, file.size - read)
      const { bytesRead } = await handle.read(buffer, 0, most, null)
      if (bytesRead === 0) break
      const bytes = buffer.subarray(0, bytesRead)
      hash.update(bytes)
      read += bytesRead
      yield { file, bytes, sha1: undefined }
    }
    const { size, mtime } = await handle.stat()
    const sha1 = hash.digest('hex')
    checkUnchanged(file, { read, size, modified: mtime.getTime(), sha1 })
    yield { file, bytes: buffer.subarray(0, 0), sha1 }
  } finally {
    await handle.close()
  }
}
