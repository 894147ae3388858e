/** Reads an uploaded bundle as Ingest does: member by member, then each file against metadata.txt. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { extract } from 'tar-stream'
import { type Step, traceback } from './ingest-faults.ts'

export interface BundleMember {
  readonly name: string
  readonly size: number
  readonly sha1: string
  readonly mtime: Date
  /** Empty when bytes are forgotten. */
  readonly content: Buffer
}

export type MetadataEntry = Readonly<Record<string, unknown>>

export interface ReadBundle {
  /** Without metadata.txt, in the order of the tar. */
  readonly members: readonly BundleMember[]
  readonly metadata: readonly MetadataEntry[]
  /** Of the whole request. */
  readonly bytes: number
  readonly failure: { readonly step: Step; readonly exception: string } | undefined
}

export interface Reading {
  readonly forgetBytes: boolean
  readonly slowMs: number
  readonly resetAfter: number
  readonly hangAfter: number
  /** Given each piece of the request as it came. */
  readonly keep?: ((piece: Buffer) => Promise<unknown>) | undefined
}

/** Rejects when the request breaks off, or as `reading` says. */
export async function readBundle(request: IncomingMessage, reading: Reading): Promise<ReadBundle> {
  const archive = extract()
  // It is read below; an error before that must not end the process.
  archive.on('error', () => undefined)
  const members = readMembers(archive as AsyncIterable<Entry>, reading.forgetBytes).catch(
    (error: Error) => error,
  )
  const bytes = await feed(request, archive, reading)
  const read = await members
  if (read instanceof Error) {
    return {
      members: [],
      metadata: [],
      bytes,
      failure: failed('open tar', `tarfile.ReadError: ${read.message}`),
    }
  }
  const text = read.find(({ name }) => name === 'metadata.txt')?.content.toString()
  const files = read.filter(({ name }) => name !== 'metadata.txt')
  const metadata = parse(text ?? '')
  if (metadata === undefined) {
    const reason = 'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)'
    return { members: files, metadata: [], bytes, failure: failed('load metadata', reason) }
  }
  const wrong = wrongFile(files, metadata)
  const failure = wrong === undefined ? undefined : failed('ingest files', wrong)
  return { members: files, metadata, bytes, failure }
}

interface Entry extends AsyncIterable<Buffer> {
  readonly header: { readonly name: string; readonly mtime: Date | undefined }
}

async function feed(
  request: IncomingMessage,
  archive: ReturnType<typeof extract>,
  { slowMs, resetAfter, hangAfter, keep }: Reading,
): Promise<number> {
  let bytes = 0
  for await (const chunk of request) {
    if (slowMs > 0) await sleep(slowMs)
    bytes += chunk.length
    await keep?.(chunk)
    if (bytes > resetAfter) throw new Error('reset')
    if (bytes > hangAfter) await new Promise((resolve) => request.once('close', resolve))
    if (archive.destroyed || archive.write(chunk)) continue
    await new Promise<void>((resolve) => {
      const done = () => {
        archive.off('drain', done)
        archive.off('close', done)
        resolve()
      }
      archive.on('drain', done)
      archive.on('close', done)
    })
  }
  archive.end(null)
  return bytes
}

async function readMembers(
  archive: AsyncIterable<Entry>,
  forgetBytes: boolean,
): Promise<BundleMember[]> {
  const members: BundleMember[] = []
  for await (const entry of archive) {
    const { name, mtime = new Date(0) } = entry.header
    const hash = createHash('sha1')
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of entry) {
      hash.update(chunk)
      size += chunk.length
      if (!forgetBytes || name === 'metadata.txt') chunks.push(chunk)
    }
    members.push({ name, size, sha1: hash.digest('hex'), mtime, content: Buffer.concat(chunks) })
  }
  return members
}

function parse(text: string): MetadataEntry[] | undefined {
  try {
    const metadata: unknown = JSON.parse(text)
    return Array.isArray(metadata) ? metadata : undefined
  } catch {
    return undefined
  }
}

/** Metadata's files must be in the tar, with their hashes; what else is in the tar is not looked at. */
function wrongFile(
  members: readonly BundleMember[],
  metadata: readonly MetadataEntry[],
): string | undefined {
  const found = new Map(members.map((member) => [member.name, member]))
  for (const entry of metadata) {
    if (entry['destinationTable'] !== 'Files') continue
    const subdir = String(entry['subdir'])
    const name = `data/${subdir === '' ? '' : `${subdir}/`}${String(entry['name'])}`
    const member = found.get(name)
    if (member === undefined) return `KeyError: "filename '${name}' not found"`
    if (member.sha1 !== entry['hashsum']) {
      return `pacifica.ingest.tarutils.HashValidationException: File ${name} hash failed`
    }
  }
  return undefined
}

function failed(step: Step, reason: string): ReadBundle['failure'] {
  return { step, exception: traceback(reason) }
}
