/**
 * What one run of a task writes, on its way to the table: collected for a moment, bounded as a whole. The beginning is
 * stored as it comes; of what is beyond the bound the end is kept, and stored with a line that says what is left out.
 */
import { type Log, maskCredentials } from '@pacifica/platform'
import type { LogPiece, LogStream } from './log-store.ts'

export interface TaskLogSink {
  add(stream: LogStream, text: string): void
  /** Resolves when all of it is stored, or could not be. Never rejects. */
  close(): Promise<void>
}

export interface TaskLogOptions {
  /** Characters for the whole run. */
  readonly maxLength: number
  readonly flushMs?: number
}

/** Of the whole, so much is for the end. */
const END_PART = 0.25
/** So much is stored at once, without waiting for the next flush. */
const FLUSH_LENGTH = 64 * 1024

export function createTaskLog(
  needs: { readonly append: (pieces: readonly LogPiece[]) => Promise<void>; readonly log: Log },
  { maxLength, flushMs = 1_000 }: TaskLogOptions,
): TaskLogSink {
  const end = createEnd(Math.floor(maxLength * END_PART))
  let room = maxLength - Math.floor(maxLength * END_PART)
  let pending: LogPiece[] = []
  let length = 0
  let storing = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const pieces = joined(pending)
    pending = []
    length = 0
    if (pieces.length === 0) return
    storing = storing
      .then(() => needs.append(pieces))
      .catch((err) => needs.log.warn({ err }, 'task.log_not_stored'))
  }

  return {
    add(stream, text) {
      const clean = text.replaceAll('\0', '\ufffd')
      const first = clean.slice(0, room)
      room -= first.length
      if (first !== '') pending.push({ stream, text: first })
      if (first.length < clean.length) end.add({ stream, text: clean.slice(first.length) })
      length += first.length
      if (length >= FLUSH_LENGTH) flush()
      else if (pending.length > 0) timer ??= setTimeout(flush, flushMs)
    },
    async close() {
      pending.push(...end.pieces())
      flush()
      await storing
    },
  }
}

/** The last `maxLength` characters of what is added, and how many there were before. */
function createEnd(maxLength: number) {
  const kept: LogPiece[] = []
  let length = 0
  let left = 0
  return {
    add(piece: LogPiece) {
      kept.push(piece)
      length += piece.text.length
      while (length > maxLength) {
        const [oldest] = kept as [LogPiece]
        const cut = Math.min(oldest.text.length, length - maxLength)
        left += cut
        length -= cut
        if (cut === oldest.text.length) kept.shift()
        else kept[0] = { ...oldest, text: oldest.text.slice(cut) }
      }
    },
    pieces(): LogPiece[] {
      if (left === 0) return kept
      return [{ stream: 'log', text: `\n… ${left} characters left out …\n` }, ...kept]
    },
  }
}

/** Neighbours of one stream become one piece, without passwords of URLs. */
function joined(pieces: readonly LogPiece[]): LogPiece[] {
  const result: { stream: LogStream; text: string }[] = []
  for (const { stream, text } of pieces) {
    const before = result.at(-1)
    if (before?.stream === stream) before.text += text
    else result.push({ stream, text })
  }
  return result.map(({ stream, text }) => ({ stream, text: maskCredentials(text) }))
}
