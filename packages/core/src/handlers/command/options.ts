/** What an author says of an executable; checked once, when the dispatcher is defined. */
import { isAbsolute, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WorkspaceEscapeError } from '../../bundle/errors.ts'
import { checkName } from '../../bundle/workspace.ts'
import type { Event, Projection } from '../../events/event.ts'
import type { TransformOptions, TransformResult } from '../transform-handler.ts'
import { CommandOptionsError } from './errors.ts'

/** A program and its first arguments, without a shell. SRC and DST follow. A file is named by its URL or whole path. */
export type Command = readonly [string | URL, ...(string | URL)[]]

/** What a program gets, how long it may run, and what becomes of its output. */
export interface CommandOptions extends TransformOptions {
  /** Under which names `SRC/notification.json` shows the event; just as it came unless given. */
  readonly version?: Projection
  /** Names of variables of the dispatcher's own environment that the executable sees, beside the few it always does. */
  readonly environment?: readonly string[]
  /** Variables with these values. */
  readonly variables?: Readonly<Record<string, string>>
  /** The working folder; DST unless given. */
  readonly folder?: string | URL
  /** Milliseconds that the executable may run; the task's own limit alone unless given. */
  readonly timeout?: number
  /** Milliseconds between SIGTERM and SIGKILL; 5 000 unless given. */
  readonly grace?: number
  /** Bytes of stdout, and of stderr, that go to the task's log; the rest is counted. 1 MiB each unless given. */
  readonly maxOutput?: number
  /** Bytes that the executable may write: DST, its TMPDIR and the kept output together. No limit unless given. */
  readonly maxBytes?: number
  /** Uploads stdout or stderr, whole, as a file of this path in the bundle. */
  readonly keep?: {
    /** Such as `log/stdout.txt`. */
    readonly stdout?: string
    /** Such as `log/stderr.txt`. */
    readonly stderr?: string
  }
  /** Whose the result is and what is noted on it; as `TransformHandler` has it unless given. */
  readonly result?: (event: Event) => TransformResult
}

export interface CommandSettings extends CommandOptions {
  readonly command: readonly [string, ...string[]]
  readonly folder?: string
  readonly grace: number
  readonly maxOutput: number
}

/** A longer timer fires at once. */
const MOST_MS = 2 ** 31 - 1
const DEFAULTS = { grace: 5_000, maxOutput: 1024 * 1024 }

/** Throws `CommandOptionsError`. */
export function settingsOf(command: Command, options: CommandOptions): CommandSettings {
  const mistakes = [...wrongWith(command), ...wrongNames(options), ...wrongNumbers(options)]
  if (mistakes.length > 0) throw new CommandOptionsError(mistakes)
  const { folder, ...rest } = options
  const words = command.map(pathOf) as [string, ...string[]]
  const inFolder = folder === undefined ? {} : { folder: pathOf(folder) }
  return { ...DEFAULTS, ...rest, ...inFolder, command: words }
}

/** How a command is named in errors and logs: not with all its arguments. */
export function nameOf([program, first]: readonly [string, ...string[]]): string {
  return first === undefined ? program : `${program} ${first}`
}

function pathOf(word: string | URL): string {
  return word instanceof URL ? fileURLToPath(word) : word
}

function wrongWith(command: Command): string[] {
  if (!Array.isArray(command) || command.length === 0) {
    return ['the command must be a list: the program, then its arguments']
  }
  const mistakes = command
    .filter((word) => !isWord(word))
    .map(
      (word) => `${JSON.stringify(word)} in the command is neither text without NUL nor a file URL`,
    )
  const [program] = command
  if (program === '') mistakes.push('the program has no name')
  if (typeof program === 'string' && program.includes(sep) && !isAbsolute(program)) {
    mistakes.push(
      `${program} is a relative path: write new URL('${program}', import.meta.url), or the whole path`,
    )
  }
  return mistakes
}

function isWord(word: unknown): boolean {
  if (word instanceof URL) return word.protocol === 'file:'
  return typeof word === 'string' && !word.includes('\0')
}

function wrongNames({
  environment = [],
  variables = {},
  keep = {},
  folder,
}: CommandOptions): string[] {
  const mistakes = [...environment, ...Object.keys(variables)]
    .filter((name) => !/^[^=\0]+$/.test(name))
    .map((name) => `${JSON.stringify(name)} cannot be the name of a variable`)
  for (const [name, value] of Object.entries(variables)) {
    if (typeof value !== 'string' || value.includes('\0')) {
      mistakes.push(`variables.${name} must be text without NUL`)
    }
  }
  if (folder !== undefined && !isAbsolute(pathOf(folder))) {
    mistakes.push(`folder ${folder} must be a whole path or a file URL`)
  }
  const { stdout, stderr } = keep
  for (const name of [stdout, stderr]) mistakes.push(...wrongPath(name))
  if (stdout !== undefined && stdout === stderr)
    mistakes.push('keep names one file for two streams')
  return mistakes
}

function wrongPath(name: string | undefined): string[] {
  if (name === undefined) return []
  try {
    checkName(name)
    return []
  } catch (error) {
    if (error instanceof WorkspaceEscapeError) return [`keep: ${error.message}`]
    throw error
  }
}

function wrongNumbers({ timeout, grace, maxOutput, maxBytes }: CommandOptions): string[] {
  const mistakes: string[] = []
  const check = (name: string, value: number | undefined, least: number, most: number) => {
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
    mistakes.push(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
  }
  check('timeout', timeout, 1, MOST_MS)
  check('grace', grace, 0, MOST_MS)
  check('maxOutput', maxOutput, 0, Number.MAX_SAFE_INTEGER)
  check('maxBytes', maxBytes, 0, Number.MAX_SAFE_INTEGER)
  return mistakes
}
