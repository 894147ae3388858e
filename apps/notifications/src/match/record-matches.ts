/**
 * What a matched event leaves behind: its deliveries, the questions to Policy that they wait for with what has been
 * answered already, and which deliveries are sent at once. The statement: record-statement.ts.
 */
import type { Sql } from '@pacifica/platform'
import type { SoonAnswered } from '../authorize/ask-at-once.ts'
import { reasonOf } from '../authorize/record-answers.ts'
import { newId } from '../database/new-id.ts'
import { NO_ROOM, type Room } from '../deliver/at-once.ts'
import type { ClaimedDelivery } from '../deliver/claim.ts'
import type { Evaluation, Match } from './live-subscriptions.ts'
import type { ClaimedEvent } from './match-store.ts'
import { RECORD } from './record-statement.ts'

export interface MatchedEvent extends Evaluation {
  readonly event: ClaimedEvent
  /** Why the event itself could not be read; null: it could. */
  readonly unreadable: string | null
  /** What Policy has said already. */
  readonly answers?: readonly SoonAnswered[]
}

/** What a batch has left behind. */
export interface Recorded {
  /** The age of each event that was still ours, in ms. */
  readonly ages: ReadonlyMap<string, number>
  /** To be sent at once: claimed in the same transaction, at most as many as there was room for. */
  readonly claimed: readonly ClaimedDelivery[]
  /** How many deliveries Policy's no has settled. */
  readonly denied: number
  /** Whether there are questions that Policy has to be asked. */
  readonly asking: boolean
  /** Nothing was claimed, since another process' claim came in between. */
  readonly late: boolean
  /** Subscriptions with deliveries that are due at once and were not claimed: their lanes are to be followed. */
  readonly released: readonly string[]
}

/** What a delivery is that was claimed as it was stored. */
type JustStored = 'claim' | 'attempt' | 'replay' | 'lateMs' | 'ramped'
/** What is known of its event already. */
type Known = 'jsondata' | 'digest' | 'trace'
type DeliveryRow = Omit<ClaimedDelivery, JustStored | Known>

/** One row, the last. */
interface Summary {
  /** Null: none. */
  readonly events: readonly string[] | null
  readonly ages: readonly number[]
  readonly released: readonly string[]
  readonly denied: number
  readonly late: boolean
}

/** What was claimed by somebody else in the meantime is left alone. */
export async function recordMatches(
  sql: Sql,
  matched: readonly MatchedEvent[],
  room: Room = NO_ROOM,
): Promise<Recorded> {
  const questions = questionsOf(matched)
  const values = [...columns(matched), ...questionColumns(questions), ...roomColumns(room)]
  const rows = await sql.query<DeliveryRow | Summary>(RECORD, values, 'prepared')
  const { events, ages, released, denied, late } = rows.pop() as Summary
  const known = new Map(matched.map(({ event }) => [event.uuid, event]))
  return {
    ages: new Map(events?.map((uuid, place) => [uuid, ages[place] as number])),
    claimed: (rows as DeliveryRow[]).map((row) =>
      claimedOf(row, known.get(row.event) as ClaimedEvent),
    ),
    asking: questions.some(({ soon }) => soon === undefined || soon.answer.kind === 'unanswered'),
    ...{ released, denied, late },
  }
}

// Member by member, here and in other places that every event goes through: to spread one object and add members to it
// costs V8 up to a hundred times as much.
function claimedOf(row: DeliveryRow, { jsondata, digest, trace }: ClaimedEvent): ClaimedDelivery {
  return {
    uuid: row.uuid,
    event: row.event,
    subscription: row.subscription,
    owner: row.owner,
    claim: 1,
    attempt: 0,
    replay: 0,
    targetUrl: row.targetUrl,
    host: row.host,
    version: row.version,
    extensions: row.extensions,
    auth: row.auth,
    signing: row.signing,
    retry: row.retry,
    jsondata,
    digest,
    trace,
    lateMs: 0,
    ramped: false,
  }
}

function columns(matched: readonly MatchedEvent[]): unknown[][] {
  const rows = matched.flatMap(({ event, matches, answers }) =>
    matches.map((match) => ({ event: event.uuid, match, first: firstState(match, answers) })),
  )
  return [
    matched.map(({ event }) => event.uuid),
    matched.map(({ event }) => event.claim),
    matched.map(({ matches }) => matches.filter(({ failure }) => failure === undefined).length),
    matched.map(({ unreadable }) => unreadable),
    rows.map(newId),
    rows.map((row) => row.event),
    rows.map(({ match }) => match.subscription),
    rows.map(({ match }) => match.owner),
    rows.map(({ first }) => first.state),
    rows.map(({ first }) => first.reason),
  ]
}

interface FirstState {
  /** `allowed`: pending, and Policy has said yes. */
  readonly state: 'pending' | 'held' | 'failed' | 'allowed' | 'denied'
  readonly reason: string | null
}

/** A disabled subscription's deliveries wait for it; one that cannot be evaluated has failed and says why. */
function firstState(match: Match, answers: readonly SoonAnswered[] = []): FirstState {
  if (match.failure !== undefined) return { state: 'failed', reason: match.failure }
  if (match.disabled) return { state: 'held', reason: 'the subscription is disabled' }
  const answer = answers.find(({ owner }) => owner === match.owner)?.answer
  if (answer?.kind === 'denied') return { state: 'denied', reason: reasonOf(answer) }
  return { state: answer?.kind === 'allowed' ? 'allowed' : 'pending', reason: null }
}

/** How many deliveries may be sent as soon as they are stored. */
export function allowedOf({ matches, answers }: MatchedEvent): number {
  return matches.filter((match) => firstState(match, answers).state === 'allowed').length
}

interface Question {
  readonly event: string
  readonly owner: string
  readonly soon: SoonAnswered | undefined
}

/** One for each event and user. */
function questionsOf(matched: readonly MatchedEvent[]): Question[] {
  return matched.flatMap(({ event, matches, answers = [] }) =>
    ownersOf(matches).map((owner) => ({
      event: event.uuid,
      owner,
      soon: answers.find((answer) => answer.owner === owner),
    })),
  )
}

/** The users whose deliveries wait for Policy's answer. */
export function ownersOf(matches: readonly Match[]): string[] {
  const waiting = matches.filter((match) => firstState(match).state === 'pending')
  return [...new Set(waiting.map(({ owner }) => owner))]
}

function questionColumns(questions: readonly Question[]): unknown[][] {
  const now = performance.now()
  const said = questions.map(({ soon }) => stored(soon, now))
  return [
    questions.map(({ event }) => event),
    questions.map(({ owner }) => owner),
    said.map(({ state }) => state),
    said.map(({ status }) => status),
    said.map(({ body }) => body),
    said.map(({ error }) => error),
    said.map(({ asked }) => asked),
    said.map(({ againMs }) => againMs),
    said.map(({ ageMs }) => ageMs),
  ]
}

const UNASKED = {
  state: 'asking',
  status: null,
  body: null,
  error: null,
  asked: 0,
  againMs: 0,
  ageMs: 0,
}

function stored(
  soon: SoonAnswered | undefined,
  now: number,
): Record<keyof typeof UNASKED, unknown> {
  if (soon === undefined) return UNASKED
  const { answer, askAgainMs, at } = soon
  if (answer.kind === 'unanswered') {
    const { status, reason } = answer
    return { ...UNASKED, status, error: reason, asked: 1, againMs: askAgainMs }
  }
  const { kind: state, status, body } = answer
  return { ...UNASKED, state, status, body, ageMs: now - at }
}

function roomColumns({ limit, leaseMs, caps, dispatching, own }: Room): unknown[] {
  const { subscription, host, owner } = caps
  const mine = [own.holder, own.lanes, own.hosts, own.owners]
  return [limit, leaseMs, subscription, host, owner, dispatching, ...mine]
}
