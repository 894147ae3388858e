/** A log that keeps its lines in memory: for tests of what is logged, and for tests that want a quiet log. */
import { createLog, type Log } from './log.ts'

export interface LogLine {
  readonly level?: string
  readonly time?: string
  readonly msg?: string
  readonly url?: string
  readonly waitMs?: number
  readonly err?: unknown
  readonly [member: string]: unknown
}

export interface RecordedLog {
  readonly log: Log
  /** Every line so far, parsed. */
  lines(): LogLine[]
  /** The same as it was written. */
  text(): string
}

export function recordLog(): RecordedLog {
  const written: string[] = []
  const write = (line: string) => {
    written.push(line)
  }
  return {
    log: createLog({ name: 'test', level: 'trace', destination: { write } }),
    lines: () => written.map((line) => JSON.parse(line)),
    text: () => written.join(''),
  }
}
