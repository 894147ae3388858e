/** The headers of a bundle's members and how long they are. Pure; the tar itself is tar-stream's. */
import type { Header } from 'tar-stream'

const BLOCK = 512
/** Two blocks of zeros. */
const END_OF_TAR = 2 * BLOCK
/** The largest time that the header's signed 32 bits of tar-stream hold; others go into a PAX record. */
const LAST_SECOND = 2 ** 31 - 1
/** A name that fits the header as it is; every other one gets a PAX record, and so needs two more blocks at least. */
const PLAIN_NAME = /^[\x20-\x7e]{1,100}$/

export type MemberHeader = Pick<Header, 'name' | 'size' | 'mode' | 'mtime' | 'type'> & {
  /** PAX records beside the path's, which tar-stream adds. Given, if empty, for every name that needs one. */
  readonly pax?: Readonly<Record<string, string>>
}

export function memberHeader(name: string, size: number, modified: Date): MemberHeader {
  const seconds = Math.floor(modified.getTime() / 1000)
  const clamped = Math.min(Math.max(seconds, 0), LAST_SECOND)
  const time = clamped === seconds ? {} : { mtime: String(seconds) }
  const pax = clamped === seconds && PLAIN_NAME.test(name) ? {} : { pax: time }
  return { name, size, mode: 0o644, mtime: new Date(clamped * 1000), type: 'file', ...pax }
}

/** The bytes of a tar with these members. */
export function tarSize(headers: Iterable<MemberHeader>): number {
  let size = END_OF_TAR
  for (const header of headers) {
    const pax = header.pax === undefined ? 0 : BLOCK + padded(paxSize(header.name, header.pax))
    size += pax + BLOCK + padded(header.size)
  }
  return size
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

function paxSize(name: string, pax: Readonly<Record<string, string>>): number {
  const records = Object.entries({ path: name, ...pax })
  return records.reduce((sum, [key, value]) => sum + recordSize(` ${key}=${value}\n`), 0)
}

/** A record begins with its own length in decimal digits, these included. */
function recordSize(rest: string): number {
  const bytes = Buffer.byteLength(rest)
  const digits = String(bytes).length
  return bytes + String(bytes + digits).length
}
