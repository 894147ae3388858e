/**
 * Lines of one turn of the event loop go out with one write: for a short line the write costs more than all else, and
 * events that were committed together are told together. A line waits for the end of its turn at the longest, before
 * anything else is read; a warning or worse does not wait at all, and nothing is left behind at the exit.
 */
import type { DestinationStream } from 'pino'

const INFO = 30
/** Characters that wait at the most. */
const MOST = 64 * 1024

export interface TurnWriter extends DestinationStream {
  /** Pino writes the line's level to it before each line. */
  lastLevel: number
}

export function turnWriter(
  out: { write(text: string): unknown },
  onExit: (flush: () => void) => void = (flush) => process.on('exit', flush),
): TurnWriter {
  let lines = ''
  function flush() {
    if (lines === '') return
    const text = lines
    lines = ''
    out.write(text)
  }
  onExit(flush)
  return {
    // Pino: https://getpino.io/#/docs/api?id=metadata
    [Symbol.for('pino.metadata')]: true,
    lastLevel: INFO,
    write(line: string) {
      if (lines === '') process.nextTick(flush)
      lines += line
      if (this.lastLevel > INFO || lines.length > MOST) flush()
    },
  } as TurnWriter
}
