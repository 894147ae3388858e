/** What a bundle holds, kept with the upload, so that a later run can be held against it. Pure. */
import { createHash } from 'node:crypto'
import type { DescribedFile } from '@pacifica/core'

export interface Member {
  readonly path: string
  readonly size: number
  /** Hex. */
  readonly sha1: string
}

export interface Manifest {
  readonly files: number
  readonly bytes: number
  /** SHA-256, hex, of all paths, sizes and hashes: equal for bundles of the same files. */
  readonly digest: string
  /** By path; null where there are more than `MOST_MEMBERS`. */
  readonly members: Member[] | null
}

/** Of more files the numbers and the digest are kept, and not each one. */
export const MOST_MEMBERS = 10_000

export function manifestOf(files: readonly DescribedFile[]): Manifest {
  const members = files
    .map(({ path, size, sha1 }) => ({ path: storablePath(path), size, sha1 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const digest = createHash('sha256')
  let bytes = 0
  for (const { path, size, sha1 } of members) {
    digest.update(JSON.stringify([path, size, sha1]))
    bytes += size
  }
  const kept = members.length <= MOST_MEMBERS ? members : null
  return { files: members.length, bytes, digest: digest.digest('hex'), members: kept }
}

/** jsonb takes no half of a surrogate pair, which a file's name may hold on some systems. */
function storablePath(path: string): string {
  return path.replaceAll(/\p{Surrogate}/gu, '\ufffd')
}
