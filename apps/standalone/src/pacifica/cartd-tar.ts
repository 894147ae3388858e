/** The tar of a simulated cart: folders first, then files, and whatever a fault makes of it. */
import { END_OF_TAR, type TarFormat, type TarMember, tarHeader, tarPadding } from './tar.ts'

/** Bytes that are made while they are sent, for files that are larger than memory. */
export interface TarPart {
  readonly size: number
  readonly bytes: () => AsyncIterable<Buffer>
}

/** Each switch is one way to fail; none is on unless set. */
export interface CartFaults {
  /** How long the cart goes through waiting, staging, bundling. */
  readonly stagingMs?: number
  readonly stagingMessage?: (waitedMs: number) => string
  /** The cart fails, and Cartd says why. */
  readonly fails?: string
  /** Cartd has forgotten the cart. */
  readonly unknown?: boolean
  /** HEAD says ready, and GET says 202 for ever. */
  readonly neverGives?: boolean
  /** The methods of calls that are never answered, whose connection is reset, or that get another status. */
  readonly hangsOn?: string
  readonly resetsOn?: string
  readonly answers?: Readonly<Record<string, number>>
  /** The tar stops after so many bytes: as if it were whole, by a reset, or without a word. */
  readonly cutAfter?: number
  readonly cutBy?: 'end' | 'reset' | 'hang'
  /** Paths that are left out, that lose their last byte, or whose first byte is another. */
  readonly omits?: readonly string[]
  readonly truncates?: readonly string[]
  readonly alters?: readonly string[]
  /** Members as they are, behind the others. */
  readonly adds?: readonly TarMember[]
  /** Sent instead of a tar. */
  readonly raw?: Buffer
  readonly format?: TarFormat
  /** Instead of the name that was asked for, as with a cart that is a bundle. */
  readonly topFolder?: string
}

export interface CartFile {
  readonly path: string
  readonly content: Buffer | TarPart
}

const MTIME = 1_762_000_000.25

export async function* cartTar(
  top: string,
  files: readonly CartFile[],
  faults: CartFaults,
): AsyncGenerator<Buffer> {
  if (faults.raw) {
    yield faults.raw
    return
  }
  const format = faults.format ?? 'pax'
  for (const name of foldersOf(top, files)) {
    yield tarHeader({ name: `${name}/`, type: 'directory', mtime: MTIME }, format)
  }
  for (const file of files) {
    if (!faults.omits?.includes(file.path)) yield* memberOf(top, file, faults, format)
  }
  for (const member of faults.adds ?? []) {
    yield tarHeader(member, format)
    const content = Buffer.from(member.content ?? [])
    yield Buffer.concat([content, tarPadding(content.length)])
  }
  yield END_OF_TAR
}

async function* memberOf(
  top: string,
  { path, content }: CartFile,
  faults: CartFaults,
  format: TarFormat,
): AsyncGenerator<Buffer> {
  const part = Buffer.isBuffer(content) ? partOf(spoilt(path, content, faults)) : content
  yield tarHeader({ name: `${top}/${path}`, size: part.size, mtime: MTIME }, format)
  yield* part.bytes()
  yield tarPadding(part.size)
}

function partOf(content: Buffer): TarPart {
  return {
    size: content.length,
    async *bytes() {
      yield content
    },
  }
}

function spoilt(path: string, content: Buffer, faults: CartFaults): Buffer {
  if (faults.truncates?.includes(path)) return content.subarray(0, -1)
  if (!faults.alters?.includes(path)) return content
  const altered = Buffer.from(content)
  altered[0] = (altered[0] ?? 0) ^ 1
  return altered
}

function foldersOf(top: string, files: readonly CartFile[]): string[] {
  const folders = new Set([top])
  for (const { path } of files) {
    const parts = path.split('/').slice(0, -1)
    for (const index of parts.keys()) folders.add([top, ...parts.slice(0, index + 1)].join('/'))
  }
  return [...folders]
}
