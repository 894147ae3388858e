/** `pacifica-dispatcher-cmd`: asks a running dispatcher, by its API. */
import { parseArgs } from 'node:util'
import { readConfig } from '@pacifica/platform'
import { dispatcherSettings } from '../config.ts'

const USAGE = `Usage: pacifica-dispatcher-cmd COMMAND TASK [--url URL]

  cancel TASK   end the task: at once while it waits, else its handler is told to end
  log TASK      what the task's runs wrote

TASK is the task's id. URL is the dispatcher's, http://DISPATCHER_HOST:DISPATCHER_PORT unless given.
`

const COMMANDS = {
  cancel: { method: 'DELETE', path: (task: string) => `/tasks/${task}` },
  log: { method: 'GET', path: (task: string) => `/tasks/${task}/log` },
} as const

export interface CliNeeds {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
}

/** The exit code: 0, 1 when the dispatcher said no or nothing, 2 for a command that is none. */
export async function runCli({ argv, env, print, complain }: CliNeeds): Promise<number> {
  const asked = readCommand(argv)
  if (asked === 'help') {
    print(USAGE)
    return 0
  }
  if ('wrong' in asked) {
    complain(`${asked.wrong}\n${USAGE}`)
    return 2
  }
  const { method, path } = COMMANDS[asked.command]
  try {
    const base = asked.url ?? urlFrom(env)
    const response = await fetch(new URL(path(encodeURIComponent(asked.task)), base), { method })
    const text = await response.text()
    if (response.ok) {
      print(asked.command === 'cancel' ? `${statusIn(text)}\n` : text)
      return 0
    }
    complain(messageIn(text) ?? `${response.status} ${text.slice(0, 500)}`)
  } catch (error) {
    const { message, cause } = error as Error
    complain(`${message}${cause instanceof Error ? `: ${cause.message}` : ''}; see --url`)
  }
  return 1
}

type Asked = { command: keyof typeof COMMANDS; task: string; url: string | undefined }

function readCommand(argv: readonly string[]): Asked | { readonly wrong: string } | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { url: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    const [command = '', task, ...more] = positionals
    if (values.help) return 'help'
    if (command !== 'cancel' && command !== 'log') return { wrong: `no such command: "${command}"` }
    if (task === undefined || more.length > 0) return { wrong: `${command} takes one task's id` }
    return { command, task, url: values.url }
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}

/** Where a dispatcher of this environment listens, seen from the same machine. */
function urlFrom(env: CliNeeds['env']): string {
  const { host, port } = dispatcherSettings
  const config = readConfig({ host, port }, { env })
  const everywhere = ['0.0.0.0', '::', ''].includes(config.host)
  return `http://${everywhere ? '127.0.0.1' : config.host}:${config.port}`
}

function statusIn(text: string): string {
  return String((JSON.parse(text) as { taskStatus?: unknown }).taskStatus)
}

function messageIn(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
