/** Events as Pacifica Metadata sends them, for tests. */
import { createHash } from 'node:crypto'
import { mimetypeOf } from '../bundle/metadata.ts'
import type { JsonObject } from '../events/json.ts'
import type { Scalar } from '../models/entries.ts'
import type { FileAttributes } from '../models/file.ts'
import type { TransactionAttributes } from '../models/transaction.ts'
import type { Contents } from './given-data.ts'

/** What the event tells of; all else is as Metadata sends it. */
export interface ExampleEventOptions {
  /** Over `{ _id: 67, submitter: 10, project: '1234a', instrument: 54 }`. */
  readonly transaction?: TransactionAttributes
  /** Noted on the transaction, in this order. */
  readonly keyValues?: Readonly<Record<string, Scalar>>
  /** Contents by path, which can be given to `runHandler` as `data` too: sizes, hashes and types are theirs. Or attributes. */
  readonly files?: Contents | readonly FileAttributes[]
  /** Further entries of `data`, such as a `FileKeyValue`. */
  readonly entries?: readonly JsonObject[]
  /** `org.pacifica.metadata.ingest` unless given. */
  readonly eventType?: string
  /** `metadata.ingest.<transaction>` unless given. */
  readonly eventID?: string
  /** `http://metadata.example.org/transactions?_id=<transaction>` unless given. */
  readonly source?: string
}

/**
 * The event of an ingested transaction, as a plain object: change in it what you like.
 * @param options what it tells of
 */
export function exampleEvent(options: ExampleEventOptions = {}): JsonObject {
  const transaction = {
    ...{ _id: 67, submitter: 10, project: '1234a', instrument: 54 },
    ...options.transaction,
  }
  const { files = [], keyValues = {}, entries = [] } = options
  const described = isList(files) ? files : Object.entries(files).map(describe)
  return {
    cloudEventsVersion: '0.1',
    eventType: options.eventType ?? 'org.pacifica.metadata.ingest',
    source: options.source ?? `http://metadata.example.org/transactions?_id=${transaction._id}`,
    eventID: options.eventID ?? `metadata.ingest.${transaction._id}`,
    eventTime: '2019-01-09T09:17:26',
    extensions: {},
    contentType: 'application/json',
    data: [
      ...Object.entries(transaction)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => ({ destinationTable: `Transactions.${name}`, value })),
      ...Object.entries(keyValues).map(([key, value]) => ({
        destinationTable: 'TransactionKeyValue',
        key,
        value,
      })),
      ...described.map((file) => ({ destinationTable: 'Files', ...file })),
      ...entries,
    ],
  }
}

function isList(files: Contents | readonly FileAttributes[]): files is readonly FileAttributes[] {
  return Array.isArray(files)
}

function describe([path, content]: [string, string | Uint8Array], index: number): FileAttributes {
  const bytes = Buffer.from(content)
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  return {
    _id: index + 1,
    name,
    subdir: path.slice(0, Math.max(slash, 0)),
    size: bytes.byteLength,
    hashtype: 'sha1',
    hashsum: createHash('sha1').update(bytes).digest('hex'),
    mimetype: mimetypeOf(name),
    ctime: '2019-01-09T09:17:26',
    mtime: '2019-01-09T09:17:26',
  }
}
