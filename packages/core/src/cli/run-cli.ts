/** From the words of the command line to a command, and from what it threw to a line that says what to do. */
import { type Command, type CommandNeeds, EXIT } from './command.ts'
import { UsageError } from './errors.ts'
import { initCommand } from './init/init-command.ts'
import { routesCommand } from './routes/routes-command.ts'
import { runCommand } from './run/run-command.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  init: initCommand,
  run: runCommand,
  routes: routesCommand,
}

const USAGE = `For authors of dispatchers. The service has a command of its own: pacifica-dispatcher-cmd.

Usage:
${Object.values(COMMANDS)
  .map(({ usage }) => usage)
  .join('\n')}

MODULE is a file or a folder with a package.json; without it, this folder. Its default export is a dispatcher.
Exit codes: 0 done, 1 the handler failed, 2 wrong use, 3 no route or join takes the event, 4 a join waits for more, 130 interrupted.
`

/** Mistakes that are told in one line, not by a stack: by their `code`. */
const TOLD = new Set([
  ...['CLI_USAGE', 'CLI_MODULE', 'CLI_INIT', 'EVENT_FILE'],
  ...['ERR_PARSE_ARGS_UNKNOWN_OPTION', 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'],
  'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL',
])

export async function runCli(argv: readonly string[], needs: CommandNeeds): Promise<number> {
  const [name = '', ...words] = argv
  if (['', 'help', '--help', '-h'].includes(name)) {
    needs.out.write(USAGE)
    return name === '' ? EXIT.usage : EXIT.done
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  try {
    if (command === undefined) {
      const names = Object.keys(COMMANDS).join(', ')
      throw new UsageError(`there is no command ${JSON.stringify(name)}; there are ${names}`)
    }
    if (words.includes('--help') || words.includes('-h')) {
      needs.out.write(`Usage:\n${command.usage}\n`)
      return EXIT.done
    }
    return await command.run(words, needs)
  } catch (error) {
    needs.errors.write(`${told(error)}\n`)
    return EXIT.usage
  }
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: unknown }
  const { syscall, path } = error as NodeJS.ErrnoException
  // The system's own words, with the path: --out is a file, a folder may not be written to, the disk is full.
  if (syscall !== undefined && path !== undefined) return error.message
  if (typeof code !== 'string' || !TOLD.has(code)) return error.stack ?? error.message
  const more = code.startsWith('ERR_PARSE_ARGS') ? '\nSee pacifica-dispatcher --help' : ''
  return `${error.message}${more}`
}
