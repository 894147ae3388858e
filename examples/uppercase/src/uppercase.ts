/** Writes a copy of every input file in upper case, at the same path. */
import { pipeline } from 'node:stream/promises'
import type { Transform } from '@pacifica/core'

/** The file calls itself text, but its bytes are not UTF-8; copying it would spoil it. */
export class NotUtf8Error extends Error {
  override readonly name = 'NotUtf8Error'
  readonly code = 'NOT_UTF8'

  constructor(path: string, options: ErrorOptions) {
    super(`${path} is not UTF-8 and cannot be turned to upper case`, options)
  }
}

export const uppercase: Transform = async ({ input, output, signal, log, progress }) => {
  for (const [index, { file, open }] of input.entries()) {
    progress({ step: 'uppercase', done: index, total: input.length })
    const copy = await output.create(file.path)
    await pipeline(open(), (chunks) => inUpperCase(chunks, file.path), copy, { signal })
  }
  log.info('uppercase.done', { files: input.length })
}

/** UTF-8 in, UTF-8 out, chunk by chunk. A character that two chunks share waits in the decoder for its other half. */
export async function* inUpperCase(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true }).toUpperCase()
    yield decoder.decode().toUpperCase()
  } catch (cause) {
    throw cause instanceof TypeError ? new NotUtf8Error(path, { cause }) : cause
  }
}
