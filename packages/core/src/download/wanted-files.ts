/** What a download is to bring: one entry for each path, checked before anything is asked of Cartd. Pure. */
import { getHashes } from 'node:crypto'
import type { Scalar } from '../models/entries.ts'
import { EventFieldError } from '../models/errors.ts'
import type { File } from '../models/file.ts'
import { FileNameTakenError } from './errors.ts'

export interface WantedFile {
  readonly id: Scalar
  /** Without empty parts and `.`: as it comes in the tar, below its one top folder. */
  readonly path: string
  readonly size: number | undefined
  /** As OpenSSL calls it. */
  readonly hashtype: string
  /** Hex, lower case. */
  readonly hashsum: string
}

/** Where it will lie, checked: `Workspace.inside` said so. */
export interface PlacedFile extends WantedFile {
  readonly place: string
}

/**
 * By path, in the order of `files`. A file that is listed twice, alike, is wanted once. Names that differ by case or
 * Unicode form only are different files. Throws `EventFieldError` when a file has no `_id`, `hashtype` or `hashsum`,
 * and `FileNameTakenError` when two cannot lie side by side.
 */
export function wantedFiles(files: readonly File[]): Map<string, WantedFile> {
  const wanted = new Map<string, WantedFile>()
  for (const file of files) {
    const next = wantedFile(file)
    const same = wanted.get(next.path)
    if (same && (same.hashsum !== next.hashsum || same.hashtype !== next.hashtype)) {
      throw new FileNameTakenError(next.path, 'the event has two different files of this name')
    }
    if (!same) wanted.set(next.path, next)
  }
  for (const path of wanted.keys()) {
    const folder = parentsOf(path).find((parent) => wanted.has(parent))
    if (folder === undefined) continue
    throw new FileNameTakenError(path, `the event has a file ${folder}, which would be its folder`)
  }
  return wanted
}

/** The sum of the sizes; undefined when one of them is not known. */
export function bytesOf(files: Iterable<WantedFile>): number | undefined {
  let sum = 0
  for (const { size } of files) {
    if (size === undefined) return undefined
    sum += size
  }
  return sum
}

/** `./a//b` → `a/b`. What leaves the folder is refused where names meet the disk: `Workspace.inside`. */
export function plainPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

function wantedFile(file: File): WantedFile {
  const path = plainPath(file.path)
  const missing = (field: string): never => {
    throw new EventFieldError(
      `Files: "${field}"`,
      `of ${path} is missing; Cartd needs it`,
      undefined,
    )
  }
  const hashtype = (file.hashtype || missing('hashtype')).toLowerCase()
  if (!getHashes().includes(hashtype)) {
    const reason = `of ${path} is ${JSON.stringify(file.hashtype)}, which cannot be checked here`
    throw new EventFieldError('Files: "hashtype"', reason, undefined)
  }
  return {
    id: file._id ?? missing('_id'),
    path,
    size: file.size,
    hashtype,
    hashsum: (file.hashsum || missing('hashsum')).toLowerCase(),
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'))
}
