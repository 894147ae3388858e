/**
 * A spool file is a sequence of records, each one event: a line of JSON, the event's bytes, a line end.
 *
 *   {"id":"2f1b…","received":"2026-11-22T01:02:03.004Z","bytes":154,"digest":"9c1e…"}
 *   {"cloudEventsVersion": "0.1", …}
 */
import { Event } from '@pacifica/core'
import { readTrace } from '@pacifica/platform'
import { SpoolFileError } from './errors.ts'

export interface Arrival {
  /** The id with which the sender was answered. */
  readonly uuid: string
  readonly received: Date
  readonly event: Event
  /** W3C trace context of the request that brought it. */
  readonly trace?: string | undefined
}

export interface BadRecord {
  readonly reason: string
  /** As it stands in the file. */
  readonly bytes: Buffer
}

interface Head {
  readonly id: string
  readonly received: string
  readonly bytes: number
  readonly digest: string
  readonly trace?: string
}

const LINE_END = 0x0a
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function encodeRecord({ uuid, received, event, trace }: Arrival): Buffer {
  const text = Buffer.from(event.text)
  const head: Head = {
    id: uuid,
    received: received.toISOString(),
    bytes: text.length,
    digest: event.digest,
    ...(trace === undefined ? {} : { trace }),
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), text, Buffer.from('\n')])
}

/** What is damaged costs no other record, unless its length is; then the rest of the file is one bad record. */
export function decodeRecords(file: Buffer): { arrivals: Arrival[]; bad: BadRecord[] } {
  const arrivals: Arrival[] = []
  const bad: BadRecord[] = []
  for (let start = 0; start < file.length; ) {
    const found = frame(file, start)
    if ('reason' in found) {
      bad.push({ reason: found.reason, bytes: file.subarray(start) })
      break
    }
    try {
      arrivals.push(arrivalOf(found.head, found.text))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      bad.push({ reason, bytes: file.subarray(start, found.end) })
    }
    start = found.end
  }
  return { arrivals, bad }
}

type Frame = { head: Head; text: Buffer; end: number } | { reason: string }

function frame(file: Buffer, start: number): Frame {
  const headEnd = file.indexOf(LINE_END, start)
  if (headEnd < 0) return { reason: 'the file breaks off in the first line of a record' }
  const head = headOf(file.toString('utf8', start, headEnd))
  if (head === undefined) return { reason: 'a record does not begin with its line of JSON' }
  const textEnd = headEnd + 1 + head.bytes
  if (file[textEnd] !== LINE_END) return { reason: 'a record is not as long as it says' }
  return { head, text: file.subarray(headEnd + 1, textEnd), end: textEnd + 1 }
}

function headOf(line: string): Head | undefined {
  try {
    const head = JSON.parse(line) as Partial<Head> | null
    const { id, received, bytes, digest, trace } = head ?? {}
    if (typeof id !== 'string' || !UUID.test(id) || typeof received !== 'string') return undefined
    if (!Number.isSafeInteger(bytes) || Number(bytes) < 0) return undefined
    const known = readTrace(trace)
    return {
      ...{ id, received, bytes: Number(bytes), digest: String(digest) },
      ...(known === undefined ? {} : { trace: known }),
    }
  } catch {
    return undefined
  }
}

function arrivalOf(head: Head, text: Buffer): Arrival {
  const event = Event.parse(text)
  if (event.digest !== head.digest)
    throw new SpoolFileError('the event is not the one that was accepted: its digest differs')
  return { uuid: head.id, received: new Date(head.received), event, trace: head.trace }
}
