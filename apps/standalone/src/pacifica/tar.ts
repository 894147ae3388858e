/**
 * A tar writer of our own, for the simulated Cartd: written after the format, not after the reader that it is to test.
 * It can do what no honest writer does.
 */

const BLOCK = 512
const LINK_NAME = '././@LongLink'

/** The letters of the header's type field. */
export const TYPES = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
  unheardOf: 'Q',
} as const

export interface TarMember {
  readonly name: string
  readonly content?: Uint8Array
  /** Bytes that the header claims, unless those of `content`. */
  readonly size?: number
  readonly type?: keyof typeof TYPES
  readonly linkname?: string
  /** Seconds; a fraction makes a PAX record. */
  readonly mtime?: number
}

/** Python ≥ 3.8 writes PAX, older ones GNU. */
export type TarFormat = 'pax' | 'gnu'

export const END_OF_TAR = Buffer.alloc(2 * BLOCK)

/** A member's header blocks: what stands before its bytes. */
export function tarHeader(member: TarMember, format: TarFormat): Buffer {
  const { name, mtime = 0, linkname = '' } = member
  const long = Buffer.byteLength(name) > 100
  if (format === 'gnu') {
    const path = Buffer.from(`${name}\0`)
    const extra = long ? [block(LINK_NAME, path.length, 'L', 0, 'gnu'), padded(path)] : []
    return Buffer.concat([...extra, plain(member, linkname, Math.floor(mtime), 'gnu')])
  }
  const isAscii = [...name].every((letter) => letter >= ' ' && letter <= '~')
  const records = [
    ...(long || !isAscii ? [record('path', name)] : []),
    ...(Number.isInteger(mtime) ? [] : [record('mtime', String(mtime))]),
  ]
  const pax = Buffer.from(records.join(''))
  const extra = pax.length > 0 ? [block('PaxHeader', pax.length, 'x', 0, 'pax'), padded(pax)] : []
  return Buffer.concat([...extra, plain(member, linkname, Math.floor(mtime), 'pax')])
}

/** Zeros up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

export function tarOf(members: readonly TarMember[], format: TarFormat = 'pax'): Buffer {
  const parts = members.flatMap((member) => [
    tarHeader(member, format),
    padded(Buffer.from(member.content ?? [])),
  ])
  return Buffer.concat([...parts, END_OF_TAR])
}

function plain(member: TarMember, linkname: string, mtime: number, format: TarFormat): Buffer {
  const size = member.size ?? member.content?.length ?? 0
  const header = block(member.name, size, TYPES[member.type ?? 'file'], mtime, format)
  header.write(linkname, 157, 100)
  return signed(header)
}

function block(name: string, size: number, type: string, mtime: number, format: TarFormat): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  writeSize(header, size)
  header.write(`${mtime.toString(8).padStart(11, '0')}\0`, 136)
  header.write(type, 156)
  header.write(format === 'pax' ? 'ustar\x0000' : 'ustar  \0', 257, 'latin1')
  return signed(header)
}

/** Base 256 where 11 octal digits are too few. */
function writeSize(header: Buffer, size: number): void {
  if (size < 8 ** 11) {
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
    return
  }
  header[124] = 0x80
  header.writeBigUInt64BE(BigInt(size), 128)
}

function signed(header: Buffer): Buffer {
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** A record begins with its own length. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (Buffer.byteLength(`${length}${rest}`) !== length) {
    length = Buffer.byteLength(`${length}${rest}`)
  }
  return `${length}${rest}`
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, tarPadding(bytes.length)])
}
