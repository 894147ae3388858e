import { BundleFileChangedError } from './errors.ts'
import type { BundleFile } from './list-files.ts'

/** What a file was like when it had been read. */
export interface Ending {
  /** How many bytes it gave, of as many as were asked for. */
  readonly read: number
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modified: number
  readonly sha1: string
}

/**
 * Throws `BundleFileChangedError` when the file is no longer as it was listed. Its time tells of bytes that were exchanged
 * for others while the size stayed.
 */
export function checkUnchanged(file: BundleFile, { read, size, modified }: Ending): void {
  const found = read < file.size ? read : size
  if (found !== file.size) {
    const sizes = `${file.size} bytes at first, then ${found}`
    throw new BundleFileChangedError(file.path, sizes)
  }
  if (modified === file.modified.getTime()) return
  const now = new Date(modified).toISOString()
  const times = `written at ${file.modified.toISOString()}, and again at ${now}`
  throw new BundleFileChangedError(file.path, times)
}
