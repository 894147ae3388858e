/** What every command is given, and what it gives back. */
import type { Writable } from 'node:stream'

export interface CommandNeeds {
  /** Relative paths of the command line begin here. */
  readonly folder: string
  /** Results. */
  readonly out: Writable
  /** Log, progress and mistakes. */
  readonly errors: Writable & { readonly isTTY?: boolean }
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
}

/** Exit codes: the guide "test a handler" tells them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noRoute: 3,
  waits: 4,
  interrupted: 130,
} as const

export interface Command {
  readonly usage: string
  /** Resolves to the exit code. */
  run(argv: readonly string[], needs: CommandNeeds): Promise<number>
}
