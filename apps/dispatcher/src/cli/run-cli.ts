/** `pacifica-dispatcher-cmd`: asks a running dispatcher, by its API, whichever database that has. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { taskDetail } from '../tasks/item-view.ts'
import { type Ask, askerOf, type Env } from './ask.ts'
import { detailText, listText } from './show.ts'

const USAGE = `Usage: pacifica-dispatcher-cmd COMMAND [TASK] [OPTIONS]

  list          the tasks, newest first: --state, --kind, --event, --source, --since, --until, --text, --limit, --cursor
  show TASK     what is known of a task
  log TASK      what the task's runs wrote
  retry TASK    begin a task that ended badly anew
  dry-run TASK  run its handler again without uploading, and compare
  cancel TASK   end the task: at once while it waits, else its handler is told to end

  --state S     waiting, running, retrying, done, unrouted, failed, timed-out, cancelled; several with commas between
  --kind K      event, retry or dry-run
  --event ID    the event's id; --source S its source
  --since TIME  came in then or later, --until TIME before: 2019-01-09T09:17:26Z
  --text T      somewhere in the event's id or source, or in the error
  --limit N     at most so many, 100 unless given, 1000 at most
  --wait        with retry and dry-run: wait until it has ended, and show it; exit code 1 when it is not done
  --json        the API's own answer
  --url URL     the dispatcher's, http://DISPATCHER_HOST:DISPATCHER_PORT unless given

TASK is the task's id. Where API_TOKENS names a file, its first token is shown to the dispatcher.
`

const OPTIONS = {
  state: { type: 'string' },
  kind: { type: 'string' },
  event: { type: 'string' },
  source: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  text: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  wait: { type: 'boolean' },
  json: { type: 'boolean' },
  url: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']
type Option = keyof typeof OPTIONS

const EVERYWHERE: readonly Option[] = ['url', 'json']
const FILTERS = [
  'state',
  'kind',
  'event',
  'source',
  'since',
  'until',
  'text',
  'limit',
  'cursor',
] as const

interface Asked {
  readonly task: string
  readonly values: Values
}

/** The exit code. */
type Command = (ask: Ask, needs: CliNeeds, asked: Asked) => Promise<number>

const COMMANDS: Readonly<
  Record<string, { readonly run: Command; readonly takes: readonly Option[] }>
> = {
  list: { run: list, takes: FILTERS },
  show: { run: show, takes: [] },
  log: { run: log, takes: [] },
  retry: { run: repeat('retry'), takes: ['wait'] },
  'dry-run': { run: repeat('dry-run'), takes: ['wait'] },
  cancel: { run: cancel, takes: [] },
}

export interface CliNeeds {
  readonly argv: readonly string[]
  readonly env: Env
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  /** Between two looks of `--wait`. */
  readonly pauseMs?: number
}

/** The exit code: 0, 1 when the dispatcher said no or nothing, 2 for a command that is none. */
export async function runCli(needs: CliNeeds): Promise<number> {
  const { argv, env, print, complain } = needs
  const asked = readCommand(argv)
  if (asked === 'help') {
    print(USAGE)
    return 0
  }
  if ('wrong' in asked) {
    complain(`${asked.wrong}\n${USAGE}`)
    return 2
  }
  try {
    return await asked.command(askerOf(env, asked.values.url), needs, asked)
  } catch (error) {
    if (typeof Reflect.get(Object(error), 'code') !== 'string') throw error
    complain((error as Error).message)
    return 1
  }
}

async function list(ask: Ask, { print, complain }: CliNeeds, { values }: Asked): Promise<number> {
  const query = new URLSearchParams()
  for (const name of FILTERS) {
    const value = values[name]
    if (value !== undefined) query.set(name === 'event' ? 'eventID' : name, value)
  }
  const { text, next } = await ask('GET', `/tasks?${query}`)
  print(values.json ? `${text}\n` : listText(JSON.parse(text)))
  const cursor = next && new URLSearchParams(next.slice(next.indexOf('?'))).get('cursor')
  if (cursor) complain(`There are more: add --cursor ${cursor}`)
  return 0
}

async function show(ask: Ask, { print }: CliNeeds, { task, values }: Asked): Promise<number> {
  const { text } = await ask('GET', pathOf(task))
  print(values.json ? `${text}\n` : detailText(JSON.parse(text)))
  return 0
}

async function log(ask: Ask, { print }: CliNeeds, { task }: Asked): Promise<number> {
  print((await ask('GET', pathOf(task, '/log'))).text)
  return 0
}

async function cancel(ask: Ask, { print }: CliNeeds, { task, values }: Asked): Promise<number> {
  const { text } = await ask('DELETE', pathOf(task))
  print(`${values.json ? text : JSON.parse(text).taskStatus}\n`)
  return 0
}

function repeat(how: 'retry' | 'dry-run'): Command {
  return async (ask, { print, pauseMs = 1_000 }, { task, values }) => {
    const { text } = await ask('POST', pathOf(task, `/${how}`))
    const { taskID, taskStatus } = JSON.parse(text) as { taskID: string; taskStatus: string }
    if (!values.wait) {
      print(values.json ? `${text}\n` : `${taskID}  ${taskStatus}\n`)
      return 0
    }
    const { text: ended, state } = await untilEnded(ask, taskID, pauseMs)
    print(values.json ? `${ended}\n` : detailText(JSON.parse(ended)))
    return state === 'done' ? 0 : 1
  }
}

async function untilEnded(ask: Ask, task: string, pauseMs: number) {
  for (;;) {
    const { text } = await ask('GET', pathOf(task))
    const { settled, state } = JSON.parse(text) as ReturnType<typeof taskDetail>
    if (settled !== null) return { text, state }
    await sleep(pauseMs)
  }
}

function pathOf(task: string, more = ''): string {
  return `/tasks/${encodeURIComponent(task)}${more}`
}

type ReadCommand = Asked & { readonly command: Command }

function readCommand(argv: readonly string[]): ReadCommand | { readonly wrong: string } | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: OPTIONS,
      allowPositionals: true,
    })
    const [name = '', task = '', ...more] = positionals
    if (values.help) return 'help'
    const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
    if (found === undefined) return { wrong: `no such command: "${name}"` }
    if (more.length > 0 || (name === 'list') !== (task === '')) {
      return { wrong: name === 'list' ? 'list takes options alone' : `${name} takes one task's id` }
    }
    const known = new Set<string>([...EVERYWHERE, ...found.takes])
    const strange = Object.keys(values).find((option) => !known.has(option))
    if (strange !== undefined) return { wrong: `${name} takes no --${strange}` }
    return { command: found.run, task, values }
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}
