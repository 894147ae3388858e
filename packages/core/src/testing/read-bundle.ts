/** A bundle as Ingest would be sent it, taken apart again: what stands in its metadata.txt and in its files. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { Workspace } from '../bundle/workspace.ts'
import type { JsonObject } from '../events/json.ts'
import type { Scalar } from '../models/entries.ts'
import type { TransactionAttributes } from '../models/transaction.ts'

/** Larger files are told by their size and hash alone. */
const MOST_CONTENT = 1024 * 1024

/** A file of a bundle. */
export interface BundledFile {
  /** In the new transaction: `<subdir>/<name>`. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** SHA-1, hex: what Ingest checks. */
  readonly sha1: string
  /** Guessed from its name. */
  readonly mimetype: string
  /** Undefined when it is larger than 1 MiB. */
  readonly bytes: Uint8Array | undefined
  /** The bytes as text; undefined when they are not UTF-8, or too many. */
  readonly text: string | undefined
}

/** What a handler has uploaded. */
export interface Bundle {
  /** 1 for the handler's first upload. */
  readonly number: number
  /** Of the tar, in bytes. */
  readonly size: number
  /** The tar, and the folder it was unpacked to; undefined unless the run was given `out`. */
  readonly tar: string | undefined
  /** Where `tar` is unpacked. */
  readonly folder: string | undefined
  /** Whose the result is. */
  readonly transaction: TransactionAttributes
  /** In the order of metadata.txt. */
  readonly keyValues: readonly {
    /** What is noted. */
    readonly key: string
    /** Such as a text or an id. */
    readonly value: Scalar
  }[]
  /** Sorted by path. */
  readonly files: readonly BundledFile[]
  /** The whole of metadata.txt. */
  readonly metadata: readonly JsonObject[]
}

/** @param folder where it is unpacked to; it exists */
export async function readBundle(
  tar: string,
  { number, folder }: { readonly number: number; readonly folder: string | undefined },
): Promise<Bundle> {
  const { size } = await stat(tar)
  const contents = await unpack(tar, folder)
  const text = Buffer.from(contents.get('metadata.txt') ?? []).toString('utf8')
  const metadata: readonly JsonObject[] = JSON.parse(text)
  return {
    number,
    size,
    tar: folder === undefined ? undefined : tar,
    folder,
    transaction: transactionIn(metadata),
    keyValues: entriesOf(metadata, 'TransactionKeyValue').map(({ key, value }) => ({
      key: key as string,
      value: value as Scalar,
    })),
    files: entriesOf(metadata, 'Files').map((entry) => fileOf(entry, contents)),
    metadata,
  }
}

/** The contents of small members, and of metadata.txt. */
async function unpack(tar: string, folder: string | undefined): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  const workspace = folder === undefined ? undefined : new Workspace(folder)
  const archive = extract()
  const read = async () => {
    for await (const member of archive) {
      const { name, size = 0 } = member.header
      const content = isRead(name, size) ? await buffer(member) : undefined
      if (content !== undefined) contents.set(name, content)
      const source = content === undefined ? member : Readable.from([content])
      if (workspace !== undefined) await pipeline(source, await workspace.create(name))
      else member.resume()
    }
  }
  await Promise.all([pipeline(createReadStream(tar), archive), read()])
  return contents
}

function isRead(name: string, size: number): boolean {
  return name === 'metadata.txt' || size <= MOST_CONTENT
}

function transactionIn(metadata: readonly JsonObject[]): TransactionAttributes {
  const named = metadata.flatMap(({ destinationTable, value }) => {
    const [table, attribute] = String(destinationTable).split('.')
    return table === 'Transactions' && attribute !== undefined ? [[attribute, value] as const] : []
  })
  return Object.fromEntries(named)
}

function entriesOf(metadata: readonly JsonObject[], table: string): readonly JsonObject[] {
  return metadata.filter(({ destinationTable }) => destinationTable === table)
}

function fileOf(entry: JsonObject, contents: ReadonlyMap<string, Buffer>): BundledFile {
  const { subdir, name, size, hashsum, mimetype } = entry as Record<string, string | number>
  const path = subdir === '' ? String(name) : `${subdir}/${name}`
  const bytes = contents.get(`data/${path}`)
  return {
    path,
    size: Number(size),
    sha1: String(hashsum),
    mimetype: String(mimetype),
    bytes,
    text: bytes !== undefined && isUtf8(bytes) ? bytes.toString('utf8') : undefined,
  }
}
