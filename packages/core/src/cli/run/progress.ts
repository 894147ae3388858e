/** What is shown while a handler runs: bars on a terminal, lines elsewhere. */
import type { Progress } from '../../handlers/task-context.ts'
import type { LogLine, Transfer } from '../../testing/run-here.ts'
import { clean } from '../show-event.ts'

export interface ShownProgress {
  readonly log: (line: LogLine) => void
  readonly progress: (progress: Progress) => void
  readonly transfer: (transfer: Transfer) => void
  readonly close: () => void
}

export function logText({ level, message, fields }: LogLine): string {
  const more = Object.keys(fields).length === 0 ? '' : ` ${fieldsText(fields)}`
  return clean(`${level.padEnd(5)} ${message}${more}`)
}

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields, (_name, value) =>
      typeof value === 'bigint' ? String(value) : value,
    )
  } catch {
    return '(fields that cannot be shown)'
  }
}
