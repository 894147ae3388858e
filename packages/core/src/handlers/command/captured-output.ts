/** One of the executable's two streams: lines to the task's log, all of it to a file if asked, its end for the error. */
import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'

const LONGEST_LINE = 8_192
const TAIL_LINES = 20
const TAIL_CHARACTERS = 2_000

export interface Captured {
  /** Everything that came. */
  readonly bytes: number
  /** What of it did not go to the log. */
  readonly unlogged: number
  /** The last lines. */
  readonly tail: string
  /** Why the rest of it was lost. */
  readonly error?: unknown
}

export interface CaptureOptions {
  readonly maxLogged: number
  readonly line: (line: string) => void
  /** A new file for all of it. */
  readonly file: string | undefined
}

/** Resolves when the stream has ended or was destroyed. Rejects when the file cannot be written. */
export async function capture(
  stream: Readable,
  { maxLogged, line, file }: CaptureOptions,
): Promise<Captured> {
  const lines = new Lines(line)
  let bytes = 0
  let logged = 0
  let tail = Buffer.alloc(0)
  async function* watched(): AsyncGenerator<Buffer> {
    for await (const chunk of untilDestroyed(stream)) {
      const most = chunk.subarray(0, Math.max(0, maxLogged - logged))
      lines.add(most)
      logged += most.length
      bytes += chunk.length
      tail = Buffer.concat([tail, chunk]).subarray(-4 * TAIL_CHARACTERS)
      yield chunk
    }
  }
  if (file === undefined) for await (const _ of watched());
  else await pipeline(watched, createWriteStream(file, { flags: 'wx' }))
  lines.end()
  return { bytes, unlogged: bytes - logged, tail: lastLines(tail) }
}

/** A stream that is destroyed because nobody will ever close it has ended, too. */
async function* untilDestroyed(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}

/** Bytes that are no UTF-8 are shown as U+FFFD. */
class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #line: (line: string) => void
  #rest = ''

  constructor(line: (line: string) => void) {
    this.#line = line
  }

  add(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#say(line)
    while (this.#rest.length > LONGEST_LINE) {
      this.#say(this.#rest.slice(0, LONGEST_LINE))
      this.#rest = this.#rest.slice(LONGEST_LINE)
    }
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#say(rest)
  }

  #say(line: string): void {
    for (let from = 0; from === 0 || from < line.length; from += LONGEST_LINE) {
      this.#line(line.slice(from, from + LONGEST_LINE))
    }
  }
}

function lastLines(bytes: Buffer): string {
  const text = bytes.toString('utf8').trimEnd()
  return text.split('\n').slice(-TAIL_LINES).join('\n').slice(-TAIL_CHARACTERS)
}
