/** `deadget`: dead letters, as lines or as JSON. */
import type { Database } from '@pacifica/platform'
import { LETTER_STATES, type Letter, type LetterState } from '../dead/letter.ts'
import { listLetters, openLetter } from '../dead/store.ts'
import { letterView, MOST_BODY, openedLetterView } from '../dead/view.ts'
import { type Given, textOf, UsageError, wholeNumber } from './command.ts'
import { parseDate } from './dates.ts'
import { type EventCommand, uuidsOf } from './event-command.ts'

export interface DeadGetOptions {
  readonly uuids: readonly string[]
  readonly queue: string | null
  readonly state: LetterState | null
  /** RFC 3339. */
  readonly start: string | null
  readonly end: string | null
  readonly limit: number
  readonly json: boolean
}

export const deadget: EventCommand<DeadGetOptions> = {
  name: 'deadget',
  words: 'UUID',
  help: `Prints dead letters, the newest first: messages that nobody on the broker took.

  UUID …                these letters, with their headers and bodies; without them, a list
  --queue NAME          that died in this queue
  --state STATE         ${LETTER_STATES.join(', ')} (default: dead); or all
  --start-date TIME     taken from the broker at or after this time
  --end-date TIME       taken from the broker before this time
  --date-format FORMAT  of both times, as Python's strptime (default: %Y-%m-%d %H:%M:%S, local time)
  --limit N             at most N letters (default: 10)
  --json                as a JSON list, with everything that is known`,
  options: {
    queue: { type: 'string' },
    state: { type: 'string' },
    'start-date': { type: 'string' },
    'end-date': { type: 'string' },
    'date-format': { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean' },
  },
  read,
  run,
}

function read(given: Given): DeadGetOptions {
  const date = (name: string) => {
    const text = textOf(given, name)
    return text === undefined ? null : parseDate(text, textOf(given, 'date-format')).toISOString()
  }
  return {
    uuids: uuidsOf(given),
    queue: textOf(given, 'queue') ?? null,
    state: stateOf(given),
    start: date('start-date'),
    end: date('end-date'),
    limit: wholeNumber(given, 'limit', 10),
    json: given.options['json'] === true,
  }
}

function stateOf(given: Given): LetterState | null {
  const text = textOf(given, 'state') ?? 'dead'
  const state = LETTER_STATES.find((each) => each === text)
  if (state === undefined && text !== 'all')
    throw new UsageError(`--state ${text}: expected ${LETTER_STATES.join(', ')} or all`)
  return state ?? null
}

async function* run(database: Database, options: DeadGetOptions): AsyncGenerator<string> {
  const pieces = options.uuids.length > 0 ? these(database, options) : listed(database, options)
  if (!options.json) return yield* pieces
  let first = true
  for await (const piece of pieces) {
    yield first ? `[\n${piece}` : `,\n${piece}`
    first = false
  }
  yield first ? '[]\n' : '\n]\n'
}

async function* these(database: Database, { uuids, json }: DeadGetOptions): AsyncGenerator<string> {
  for (const uuid of uuids) {
    const letter = await openLetter(database, uuid, MOST_BODY)
    const view = letter && openedLetterView(letter)
    if (letter === undefined || view === undefined) {
      if (!json) yield `Dead letter ${uuid} - unknown\n`
    } else if (json) yield JSON.stringify(view)
    else
      yield `${lineOf(letter)}${JSON.stringify(view.headers)}\n${view.body ?? view.body_base64}\n`
  }
}

const PAGE = 100

async function* listed(database: Database, options: DeadGetOptions): AsyncGenerator<string> {
  const { queue, state, start, end, json } = options
  const filter = {
    queue: queue ?? undefined,
    state: state ?? undefined,
    since: start === null ? undefined : new Date(start),
    until: end === null ? undefined : new Date(end),
  }
  let after: Letter | undefined
  for (let left = options.limit; left > 0; left -= PAGE) {
    const limit = Math.min(left, PAGE)
    const rows = await listLetters(database, { ...filter, after, limit })
    for (const letter of rows.slice(0, limit))
      yield json ? JSON.stringify(letterView(letter)) : lineOf(letter)
    if (rows.length <= limit) return
    after = rows[limit - 1]
  }
}

function lineOf({ uuid, created, queue, state, reason, why, bytes }: Letter): string {
  const from = `${queue ?? 'nowhere'} (${reason ?? 'no reason'})`
  return `${uuid} - ${state} - ${created.toISOString()} - ${from} - ${bytes} bytes - ${why}\n`
}
