/**
 * The `metadata.txt` of a bundle: what Ingest and Metadata are told of a transaction and its files. Pure.
 * The form is that of pacifica-uploader: a JSON list without nulls, times in UTC without a zone.
 */
import { lookup } from 'mime-types'
import { TransactionDuplicateAttributeError } from '../models/errors.ts'
import type { Transaction } from '../models/transaction.ts'
import type { TransactionKeyValue } from '../models/transaction-key-value.ts'

/** What the result is: whose, and what is noted on it. */
export interface BundleSubject {
  /** Submitter, project and instrument of the result. It has no `_id`: Ingest gives one. */
  readonly transaction: Transaction
  /** Noted on the result, in this order; the same key may occur several times. */
  readonly keyValues: readonly TransactionKeyValue[]
}

/** A file as metadata describes it. `path` is relative, with `/` between. */
export interface DescribedFile {
  /** Below `data/` of the bundle. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** When its content was changed last. */
  readonly modified: Date
  /** SHA-1, hex. */
  readonly sha1: string
}

const ATTRIBUTES = [
  'submitter',
  'project',
  'instrument',
  'analytical_tool',
  'description',
  'suspense_date',
] as const

/** Python's mimetypes knows these, mime-types does not; routes in the field ask for text/x-python. */
const MORE_TYPES: Readonly<Record<string, string>> = {
  py: 'text/x-python',
  h5: 'application/x-hdf5',
  hdf5: 'application/x-hdf5',
}

/**
 * Guessed from the name alone; what is unknown is `application/octet-stream`.
 * @param name a file name or a path; only what follows the last dot counts
 */
export function mimetypeOf(name: string): string {
  const extension = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return lookup(name) || MORE_TYPES[extension] || 'application/octet-stream'
}

/**
 * Throws `TransactionDuplicateAttributeError` for a transaction with an `_id`, which is Ingest's to give.
 * @param subject whose the result is, and what is noted on it
 * @param files what the bundle holds, in its order
 * @returns a JSON list without nulls, times in UTC without a zone: the form of pacifica-uploader
 */
export function metadataText(subject: BundleSubject, files: readonly DescribedFile[]): string {
  if (subject.transaction._id !== undefined) {
    throw new TransactionDuplicateAttributeError('_id', undefined)
  }
  const transaction = ATTRIBUTES.map((name) => ({
    destinationTable: `Transactions.${name}`,
    value: subject.transaction[name],
  })).filter(({ value }) => value !== undefined && value !== null)
  const keyValues = subject.keyValues.map(({ key, value }) => ({
    destinationTable: 'TransactionKeyValue',
    key,
    value,
  }))
  return JSON.stringify([...transaction, ...keyValues, ...files.map(fileEntry)])
}

function fileEntry({ path, size, modified, sha1 }: DescribedFile): object {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  // The original's ctime is the mtime as well: the time of the inode says nothing about the data.
  const time = modified.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
  return {
    destinationTable: 'Files',
    name,
    subdir: path.slice(0, Math.max(slash, 0)),
    size,
    hashtype: 'sha1',
    hashsum: sha1,
    mimetype: mimetypeOf(name),
    ctime: time,
    mtime: time,
  }
}
