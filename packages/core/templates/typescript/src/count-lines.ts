/** What is done with the files of an event: here, their lines are counted. Put your own work in its place. */
import { writeFile } from 'node:fs/promises'
import type { Transform } from '@pacifica/core'

export const countLines: Transform = async ({ input, output, signal, log, progress }) => {
  const rows = ['file,lines']
  for (const [index, { file, open }] of input.entries()) {
    progress({ step: 'count', done: index, total: input.length })
    rows.push(`${file.path},${await linesIn(open(), signal)}`)
  }
  await writeFile(await output.inside('lines.csv'), `${rows.join('\n')}\n`)
  log.info('counted', { files: input.length })
}

/** Chunk by chunk, so that a file of any size fits. */
async function linesIn(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  let lines = 0
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    for (const byte of chunk) if (byte === 0x0a) lines += 1
  }
  return lines
}
