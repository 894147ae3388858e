/**
 * W3C Trace Context: which request brought about which. Of it only `traceparent` is kept and handed on.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 *
 *   version "-" trace-id "-" parent-id "-" trace-flags      00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 */
import { randomBytes } from '../random-bytes.ts'

/** Later versions may have more behind the flags. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NOTHING = /^0+$/
/** Sampled: whoever begins a trace here has it in the log. */
const NEW_FLAGS = '01'

/** The trace context as version 00 writes it; undefined for what is none. */
export function readTrace(header: unknown): string | undefined {
  if (typeof header !== 'string') return undefined
  const [, version, trace = '', parent = '', flags, more] = TRACEPARENT.exec(header) ?? []
  if (version === undefined || version === 'ff') return undefined
  if (version === '00' && more !== undefined) return undefined
  if (NOTHING.test(trace) || NOTHING.test(parent)) return undefined
  return `00-${trace}-${parent}-${flags}`
}

/** A trace that begins here. */
export function newTrace(hex: (bytes: number) => string = randomHex): string {
  return `00-${hex(16)}-${hex(8)}-${NEW_FLAGS}`
}

/** The same trace, with an id of its own for the request that is sent now; a new one where there is none. */
export function childTrace(
  trace: string | null | undefined,
  hex: (bytes: number) => string = randomHex,
): string {
  const parent = readTrace(trace)
  if (parent === undefined) return newTrace(hex)
  const [version, id, , flags] = parent.split('-')
  return `${version}-${id}-${hex(8)}-${flags}`
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}
