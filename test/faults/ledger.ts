/**
 * The ledger: every event that got its 200 × every subscription that matches is delivered, denied or waiting. Pure: it
 * is told what was posted, what the targets were sent, and what the databases say; it gives figures, and what is wrong.
 */
import type { Sent } from '../pacifica/receiver.ts'
import type { Books, DeliveryRow } from './books.ts'
import type { Posted } from './client.ts'
import { eventId, eventText } from './events.ts'
import { groupBy } from './group-by.ts'
import type { Cut } from './in-flight.ts'
import type { Fate, Subscription } from './subscriptions.ts'
import { webhookOf } from './targets.ts'

export interface Account {
  readonly posted: readonly Posted[]
  readonly subscriptions: readonly Subscription[]
  readonly books: Books
  readonly sent: readonly Sent[]
  readonly cuts: readonly Cut[]
}

export interface Ledger {
  /** Events × subscriptions that match. */
  readonly expected: number
  readonly states: ReadonlyMap<string, number>
  /** Stored although nobody was told so: the api was killed before its answer. */
  readonly unanswered: number
  readonly requests: number
  /** Requests beyond those on record: each was in flight when something broke, and was made again. */
  readonly repeats: number
  /** The most that there could be. */
  readonly inFlight: number
  /** Requests for what the target had already taken, and answered with 200 or was about to. */
  readonly seenTwice: number
  readonly tasks: number
  readonly wrong: readonly string[]
}

export function balance(account: Account): Ledger {
  const { books, subscriptions } = account
  const numbers = new Map(account.posted.map(({ number }) => [eventId(number), number]))
  const rows = new Map(books.deliveries.map((row) => [`${row.event} ${row.subscription}`, row]))
  const wrong = [...eventsWrong(account, numbers)]
  let expected = 0
  for (const event of books.events) {
    const number = numbers.get(event.event_id) ?? Number.NaN
    const matching = subscriptions.filter((each) => each.matches(number))
    expected += matching.length
    if (event.match_count !== matching.length || event.state !== 'matched')
      wrong.push(`${event.event_id}: ${event.state} ${event.match_count} of ${matching.length}`)
    for (const subscription of matching) {
      const row = rows.get(`${event.uuid} ${subscription.uuid}`)
      wrong.push(...deliveryWrong(`${event.event_id} for ${subscription.name}`, subscription, row))
    }
  }
  if (books.deliveries.length !== expected)
    wrong.push(`${books.deliveries.length} deliveries, and ${expected} were to be`)
  const requests = countRequests(account)
  const answered = new Set(account.posted.flatMap(({ uuid }) => uuid ?? []))
  return {
    expected,
    states: countStates(books.deliveries),
    unanswered: books.events.filter(({ uuid }) => !answered.has(uuid)).length,
    ...requests.figures,
    tasks: books.taskCount,
    wrong: [
      ...wrong,
      ...requests.wrong,
      ...linesWrong(account),
      ...bytesWrong(account, numbers),
      ...tasksWrong(account),
    ],
  }
}

/** What got a 200 is there, once, with its bytes. */
function* eventsWrong({ posted, books }: Account, numbers: ReadonlyMap<string, number>) {
  const byId = groupBy(books.events, ({ event_id }) => event_id)
  for (const { number, uuid } of posted) {
    if (uuid !== undefined && !byId.has(eventId(number))) yield `event ${number} is lost: ${uuid}`
  }
  for (const [id, events] of byId) {
    const number = numbers.get(id)
    if (number === undefined) yield `${id} was never posted`
    else if (events.some(({ jsondata }) => jsondata !== eventText(number)))
      yield `${id} is not stored byte for byte`
    if (events.length > 1) yield `${id} is stored ${events.length} times`
  }
}

/** The states that are right for each fate. What waits must also say until when. */
const RIGHT: Readonly<Record<Fate, readonly string[]>> = {
  delivered: ['delivered'],
  denied: ['denied'],
  waiting: ['retrying'],
  'in line': ['retrying', 'pending'],
}

function* deliveryWrong(
  what: string,
  { fate }: { readonly fate: Fate },
  row: DeliveryRow | undefined,
) {
  if (row === undefined) yield `${what} is missing`
  else if (!RIGHT[fate].includes(row.state) || (isWaiting(fate) && !row.is_due))
    yield `${what} is ${row.state}${row.is_due ? '' : ', never due'} (${row.reason}), not ${fate}`
}

const isWaiting = (fate: Fate) => fate === 'waiting' || fate === 'in line'

/** Of those who stand in line, somebody has had a turn. */
function* linesWrong({ books, subscriptions }: Account) {
  const bySubscription = groupBy(books.deliveries, ({ subscription }) => subscription)
  for (const { uuid, name, fate } of subscriptions) {
    const rows = bySubscription.get(uuid) ?? []
    const wasTried = rows.some(({ attempts }) => attempts > 0)
    if (fate === 'in line' && rows.length > 0 && !wasTried) yield `${name}: nothing was tried`
  }
}

/**
 * Each request either is on record as an attempt, or was in flight at a cut: kill by kill, delivery by delivery. And it
 * carries the delivery's own id.
 */
function countRequests({ books, subscriptions, sent, cuts }: Account) {
  const wrong: string[] = []
  const byWebhook = groupBy(sent, webhookOf)
  const urls = new Map(subscriptions.map(({ uuid, url }) => [uuid, url]))
  const ids = new Map(books.events.map(({ uuid, event_id }) => [uuid, event_id]))
  const cutClaims = claimsCut(cuts)
  let repeats = 0
  for (const row of books.deliveries) {
    const requests = byWebhook.get(row.uuid) ?? []
    byWebhook.delete(row.uuid)
    const misled = requests.find(
      ({ path, body }) =>
        urls.get(row.subscription)?.endsWith(path) !== true ||
        (JSON.parse(body) as { eventID: string }).eventID !== ids.get(row.event),
    )
    if (misled) wrong.push(`webhook-id ${row.uuid} came to ${misled.path} with another event`)
    const beyond = Math.max(0, requests.length - row.attempts)
    const cut = cutClaims.get(row.uuid)?.size ?? 0
    repeats += beyond
    if (beyond > cut)
      wrong.push(
        `delivery ${row.uuid}: ${requests.length} requests, ${row.attempts} on record, ${cut} cut off`,
      )
  }
  for (const [id, [first]] of byWebhook) wrong.push(`${first?.path} was sent ${id}: no delivery`)
  const inFlight = [...cutClaims.values()].reduce((sum, claims) => sum + claims.size, 0)
  const figures = { requests: sent.length, repeats, inFlight, seenTwice: seenTwice(sent) }
  return { figures, wrong }
}

/** For each delivery the claims that were cut off. One that two faults found is lost once: it is one request. */
function claimsCut(cuts: readonly Cut[]): Map<string, Set<string>> {
  const claims = new Map<string, Set<string>>()
  for (const { inFlight } of cuts) {
    for (const [uuid, claim] of inFlight)
      claims.set(uuid, (claims.get(uuid) ?? new Set()).add(claim))
  }
  return claims
}

/** Paths whose targets never say anything but 200. */
const WELCOMING = /^\/(healthy|slow|paused|basic|lane-5|endless)$/

function seenTwice(sent: readonly Sent[]): number {
  const welcomed = sent.filter(({ path }) => WELCOMING.test(path)).map(webhookOf)
  return welcomed.length - new Set(welcomed).size
}

function* bytesWrong({ sent }: Account, numbers: ReadonlyMap<string, number>) {
  for (const { path, body } of sent) {
    if (path !== '/healthy') continue
    const id = (JSON.parse(body) as { eventID: string }).eventID
    if (body !== eventText(numbers.get(id) ?? -1)) yield `${id} came changed: ${body.slice(0, 300)}`
  }
}

/** A dispatch that counts as delivered has its one task, and an event has one task for each dispatcher. */
function* tasksWrong({ books, subscriptions }: Account) {
  const dispatched = new Set(
    subscriptions.filter(({ url }) => url.startsWith('dispatch:')).map(({ uuid }) => uuid),
  )
  const taken = groupBy(books.tasks, ({ delivery }) => delivery)
  for (const row of books.deliveries) {
    const tasks = taken.get(row.uuid)?.length ?? 0
    if (dispatched.has(row.subscription) && row.state === 'delivered' && tasks !== 1)
      yield `dispatch ${row.uuid} has ${tasks} tasks`
  }
  const ofEvent = groupBy(books.tasks, ({ event_id }) => event_id)
  for (const [id, rows] of ofEvent) {
    const tasks = new Set(rows.map(({ task }) => task)).size
    if (tasks > 1) yield `${id} has ${tasks} tasks: ${rows.map(({ state }) => state)}`
  }
  for (const { delivery, state } of books.tasks)
    if (!TASK_STATES.includes(state)) yield `the task of ${delivery} is ${state}`
}

/** Done, or there to be done. A noop has no reason to fail. */
const TASK_STATES = ['waiting', 'running', 'done']

function countStates(deliveries: readonly DeliveryRow[]): Map<string, number> {
  const states = new Map<string, number>()
  for (const { state } of deliveries) states.set(state, (states.get(state) ?? 0) + 1)
  return states
}
