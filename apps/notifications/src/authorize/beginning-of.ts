/**
 * The beginning of a body, at most so many bytes, as text that PostgreSQL can hold. What comes after is not read: the
 * connection is dropped.
 */
import type { Readable } from 'node:stream'

export async function beginningOf(body: Readable, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    pieces.push(piece as Buffer)
    bytes += (piece as Buffer).length
    if (bytes > mostBytes) break // leaving the loop destroys the stream
  }
  const text = new TextDecoder().decode(Buffer.concat(pieces).subarray(0, mostBytes), {
    stream: bytes > mostBytes, // without the character that the limit cut in two
  })
  return text.replaceAll('\0', '\uFFFD')
}
