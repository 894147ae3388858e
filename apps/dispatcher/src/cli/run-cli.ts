/** `pacifica-dispatcher-cmd`: asks a running dispatcher, by its API, whichever database that has. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { taskDetail } from '../tasks/item-view.ts'
import { type Ask, askerOf, type Env } from './ask.ts'
import { detailText, listText } from './show.ts'
import { joinsText, joinText } from './show-joins.ts'

const USAGE = `Usage: pacifica-dispatcher-cmd COMMAND [TASK] [OPTIONS]

  list          the tasks, newest first: --state, --kind, --event, --source, --since, --until, --text, --limit, --cursor
  show TASK     what is known of a task
  log TASK      what the task's runs wrote
  retry TASK    begin a task that ended badly anew
  dry-run TASK  run its handler again without uploading, and compare
  cancel TASK   end the task: at once while it waits, else its handler is told to end
  joins [JOIN]  the joins, newest first: --state, --name, --key, --limit, --cursor; or what is known of one
  cancel-join JOIN  give up a join that is open

  --state S     waiting, running, retrying, joined, done, unrouted, failed, timed-out, cancelled; of joins: open, complete,
                expired, failed, cancelled; several with commas between
  --kind K      event, join, retry or dry-run
  --event ID    the event's id; --source S its source
  --name N      the join's name; --key K its key
  --since TIME  came in then or later, --until TIME before: 2019-01-09T09:17:26Z
  --text T      somewhere in the event's id or source, or in the error
  --limit N     at most so many, 100 unless given, 1000 at most
  --wait        with retry and dry-run: wait until it has ended, and show it; exit code 1 when it is not done
  --json        the API's own answer
  --url URL     the dispatcher's, http://DISPATCHER_HOST:DISPATCHER_PORT unless given

TASK is the task's id, JOIN the join's. Where API_TOKENS names a file, its first token is shown to the dispatcher.
`

const OPTIONS = {
  state: { type: 'string' },
  kind: { type: 'string' },
  event: { type: 'string' },
  source: { type: 'string' },
  name: { type: 'string' },
  key: { type: 'string' },
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

const JOIN_FILTERS = ['state', 'name', 'key', 'limit', 'cursor'] as const

interface Asked {
  readonly task: string
  readonly values: Values
}

/** Whether a command takes one; unless said, it does. */
type Id = 'none' | 'perhaps'

/** The exit code. */
type Command = (ask: Ask, needs: CliNeeds, asked: Asked) => Promise<number>

const COMMANDS: Readonly<
  Record<string, { readonly run: Command; readonly takes: readonly Option[]; readonly id?: Id }>
> = {
  list: { run: list, takes: FILTERS, id: 'none' },
  show: { run: show, takes: [] },
  log: { run: log, takes: [] },
  retry: { run: repeat('retry'), takes: ['wait'] },
  'dry-run': { run: repeat('dry-run'), takes: ['wait'] },
  cancel: { run: cancel, takes: [] },
  joins: { run: joins, takes: JOIN_FILTERS, id: 'perhaps' },
  'cancel-join': { run: cancelJoin, takes: [] },
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
  const { text, next } = await ask('GET', `/tasks?${queryOf(values, FILTERS)}`)
  print(values.json ? `${text}\n` : listText(JSON.parse(text)))
  sayMore(next, complain)
  return 0
}

async function joins(ask: Ask, { print, complain }: CliNeeds, asked: Asked): Promise<number> {
  const { task: join, values } = asked
  const one = join !== ''
  const path = one ? joinPath(join) : `/joins?${queryOf(values, JOIN_FILTERS)}`
  const { text, next } = await ask('GET', path)
  const shown = () => (one ? joinText(JSON.parse(text)) : joinsText(JSON.parse(text)))
  print(values.json ? `${text}\n` : shown())
  sayMore(next, complain)
  return 0
}

async function cancelJoin(ask: Ask, { print }: CliNeeds, { task: join, values }: Asked) {
  const { text } = await ask('DELETE', joinPath(join))
  print(`${values.json ? text : JSON.parse(text).state}\n`)
  return 0
}

function queryOf(values: Values, names: readonly (keyof Values & Option)[]): URLSearchParams {
  const query = new URLSearchParams()
  for (const name of names) {
    const value = values[name]
    if (value !== undefined) query.set(name === 'event' ? 'eventID' : name, String(value))
  }
  return query
}

function sayMore(next: string | undefined, complain: CliNeeds['complain']): void {
  const cursor = next && new URLSearchParams(next.slice(next.indexOf('?'))).get('cursor')
  if (cursor) complain(`There are more: add --cursor ${cursor}`)
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

function joinPath(join: string): string {
  return `/joins/${encodeURIComponent(join)}`
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
    const none = task === ''
    if (more.length > 0 || (found.id === undefined && none) || (found.id === 'none' && !none)) {
      return { wrong: found.id === 'none' ? `${name} takes options alone` : `${name} takes one id` }
    }
    const known = new Set<string>([...EVERYWHERE, ...found.takes])
    const strange = Object.keys(values).find((option) => !known.has(option))
    if (strange !== undefined) return { wrong: `${name} takes no --${strange}` }
    return { command: found.run, task, values }
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}
