/** From the words of a command line to the exit code. */
import { parseArgs } from 'node:util'
import type { ConfigSources, Log } from '@pacifica/platform'
import { findSources } from '../config-sources.ts'
import { VERSION } from '../version.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { dbchk, runDbchk } from './dbchk.ts'
import { dbmove, runDbmove } from './dbmove.ts'
import { dbsync, runDbsync } from './dbsync.ts'
import { deaddismiss } from './deaddismiss.ts'
import { deadget } from './deadget.ts'
import { deadresend } from './deadresend.ts'
import type { EventCommand } from './event-command.ts'
import { eventget } from './eventget.ts'
import { eventpurge } from './eventpurge.ts'
import { eventretry } from './eventretry.ts'
import { type CliConfig, readCliConfig } from './open.ts'
import { type Output, runEventCommand } from './run-event-command.ts'

export interface CliNeeds {
  readonly argv: readonly string[]
  readonly env: ConfigSources['env']
  readonly home: string
  /** Its lines must not mix with the output. */
  readonly log: Log
  readonly output: Output
  /** One line on standard error. */
  readonly complain: (line: string) => void
}

interface Runnable {
  readonly command: Command
  run(needs: CliNeeds, config: CliConfig, given: Given): Promise<number>
}

function ofEvents<O>(command: EventCommand<O>): Runnable {
  return { command, run: (needs, config, given) => runEventCommand(needs, config, command, given) }
}

const COMMANDS: readonly Runnable[] = [
  { command: dbsync, run: runDbsync },
  { command: dbchk, run: runDbchk },
  { command: dbmove, run: (needs, _config, given) => runDbmove(needs, given) },
  ofEvents(eventget),
  ofEvents(eventpurge),
  ofEvents(eventretry),
  ofEvents(deadget),
  ofEvents(deadresend),
  ofEvents(deaddismiss),
]

const NAME = 'pacifica-notifications-cmd'
const USAGE = 2

/** 0 when it is done, 1 when it failed, 2 for a wrong command line; `dbchk` has 255 for tables that will not do. */
export async function runCli(needs: CliNeeds): Promise<number> {
  try {
    return await choose(needs)
  } catch (error) {
    if (!isForPeople(error)) throw error
    needs.complain(error.message)
    return error instanceof UsageError ? USAGE : 1
  }
}

async function choose(needs: CliNeeds): Promise<number> {
  const { command: name, words } = splitWords(needs.argv)
  const runnable = COMMANDS.find(({ command }) => command.name === name)
  if (runnable === undefined) return withoutCommand(needs, name)
  const { values, positionals } = read(runnable.command, words)
  if (values['help'] === true) {
    await needs.output.write(`${helpOf(runnable.command)}\n`)
    return 0
  }
  const config = typeof values['config'] === 'string' ? values['config'] : undefined
  const { sources } = findSources(needs.env, { config, home: needs.home })
  const given = { options: values, words: positionals }
  return runnable.run(needs, readCliConfig(sources), given)
}

async function withoutCommand(needs: CliNeeds, name: string | undefined): Promise<number> {
  if (name !== undefined) throw new UsageError(`${name} is no command: ${NAME} --help lists them`)
  await needs.output.write(`${needs.argv.includes('--version') ? VERSION : help()}\n`)
  return 0
}

/** `-c FILE` may stand before the command too, as in Python. */
function splitWords(argv: readonly string[]): { command: string | undefined; words: string[] } {
  let index = 0
  while (argv[index]?.startsWith('-')) index += /^(-c|--config)$/.test(argv[index] ?? '') ? 2 : 1
  return { command: argv[index], words: [...argv.slice(0, index), ...argv.slice(index + 1)] }
}

const COMMON = {
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
} as const

function read(command: Command, words: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options: { ...command.options, ...COMMON },
      allowPositionals: command.words !== undefined,
    })
    return { values: values as Given['options'], positionals }
  } catch (cause) {
    throw new UsageError(`${command.name}: ${(cause as Error).message}`, { cause })
  }
}

function helpOf({ name, words, help: lines }: Command): string {
  return `usage: ${NAME} [-c FILE] ${name} [options]${words === undefined ? '' : ` [${words} …]`}\n\n${lines}`
}

function help(): string {
  const list = COMMANDS.map(({ command }) => {
    const [summary = ''] = command.help.split(/\.\s/)
    return `  ${command.name.padEnd(11)} ${summary}`
  })
  return `usage: ${NAME} [-c FILE] COMMAND [options]

${list.join('\n')}

  -c, --config FILE   INI file (NOTIFICATIONS_CONFIG; else ~/.pacifica-notifications/config.ini, if it is there)
  -h, --help          this, or the options of a command
      --version       print the version

The database is the one that the settings of the service name: DATABASE_URL, or the embedded one in DATA_DIR. While a
service holds the embedded one, it carries out the commands itself.`
}

/** Those with a code of ours say in their message what is wrong and what to do. */
function isForPeople(error: unknown): error is Error {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && !code.startsWith('ERR_')
}
