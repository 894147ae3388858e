/**
 * A `text[]` parameter in PostgreSQL's binary form: many long texts cost neither quoting here nor unquoting there, as
 * they do when `pg` writes a JavaScript array as text. For statements that carry whole bodies.
 *
 *   int32 dimensions (1)  int32 has nulls  int32 oid of text  int32 length  int32 lower bound (1)
 *   then each element: int32 bytes (-1: null), the bytes
 *
 * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c (array_send, array_recv)
 */
const TEXT_OID = 25
const HEADER = 20
const NULL_LENGTH = -1

/** Bind it where the statement says `$n::text[]`. */
export function textArray(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? NULL_LENGTH : Buffer.byteLength(value)))
  const size = lengths.reduce((sum, length) => sum + 4 + Math.max(length, 0), HEADER)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(lengths.includes(NULL_LENGTH) ? 1 : 0, 4)
  bytes.writeInt32BE(TEXT_OID, 8)
  bytes.writeInt32BE(values.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = HEADER
  values.forEach((value, index) => {
    at = bytes.writeInt32BE(lengths[index] as number, at)
    if (value !== null) at += bytes.write(value, at)
  })
  return bytes
}
