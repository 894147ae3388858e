/** Runs a join's handler on several events, here, with no services: runHandler's neighbour. */
import type { Event } from '../events/event.ts'
import { type Dispatcher, isDispatcher } from '../handlers/define-dispatcher.ts'
import type { JoinHandler } from '../joins/join-handler.ts'
import { EventsApartError, JoinIncompleteError, JoinWaitsError } from './errors.ts'
import { type EventPlace, type Gathered, gatherEvents } from './gather-events.ts'
import { type GivenEvent, readEvent } from './given-event.ts'
import { type GivenJoinData, JoinDataRunner, joinFolders } from './join-data.ts'
import { type RunOptions, type RunOutcome, type RunResult, runHere } from './run-here.ts'

/** What a dispatcher's join is run on, and how. */
export interface RunJoinOptions extends RunOptions {
  /** In the order in which they come: files, JSON objects, or `Event`s. */
  readonly events: readonly GivenEvent[]
  /**
   * A folder, in which a slot's files lie at `<slot>/data/<subdir>/<name>` if there is such a folder, else at
   * `data/<subdir>/<name>`; contents by path, for all events alike; or for each slot a folder (as a URL) or contents of its own.
   */
  readonly data?: GivenJoinData
  /** Runs what happens at the deadline when events are missing: what the join's `atDeadline` says. */
  readonly atDeadline?: boolean
}

/**
 * What a join's handler is run on, and how.
 * @typeParam Slot the names of the join's slots
 */
export interface RunJoinHandlerOptions<Slot extends string = string> extends RunOptions {
  /** The event of each slot: a file, a JSON object, or an `Event`; undefined for what has not come by the deadline. */
  readonly events: Readonly<Record<Slot, GivenEvent | undefined>>
  /** As `RunJoinOptions` has it. */
  readonly data?: GivenJoinData<Slot>
  /** What the handler is told that the events have in common; `key` unless given. */
  readonly key?: string
}

/** What became of a run of a join. */
export interface JoinRun extends RunResult {
  /**
   * `waits`: events are missing, so no handler ran. `apart`: the events do not fill one join, so none ran; `error` and
   * `places` say where each goes. `failed`: also when the join is one that fails at its deadline.
   */
  readonly outcome: RunOutcome | 'waits' | 'apart'
  /** What the handler threw, or why none ran; undefined when it is done. */
  readonly error: Error | undefined
  /** The join of the first event that is for one; undefined for a handler without a dispatcher. */
  readonly join: string | undefined
  /** Its key. */
  readonly key: string | undefined
  /** The slots that no event fills, in the definition's order. */
  readonly missing: readonly string[]
  /** Where each event went, in the order of `events`; empty for a handler without a dispatcher. */
  readonly places: readonly EventPlace[]
}

/**
 * Places events in a join as the service does, and runs the join's handler once when all of its slots are filled, or with
 * `atDeadline`. What is wrong with the events' places, and what the handler does wrong, is in the result. Throws
 * `EventFileError` or `EventFormatError` for what is no event. The scratch folder is removed, whatever happens.
 * @param dispatcher one that has the join
 * @param options the events, their files, and what is kept
 */
export function runJoin(dispatcher: Dispatcher, options: RunJoinOptions): Promise<JoinRun>
/**
 * Runs a join's handler on the event of each slot, without a definition: what is undefined is `missing`.
 * @typeParam Slot the names of the join's slots
 * @param handler what is run
 * @param options the events by slot, their files, and what is kept
 */
export function runJoin<Slot extends string>(
  handler: JoinHandler<Slot>,
  options: RunJoinHandlerOptions<Slot>,
): Promise<JoinRun>
export async function runJoin(
  subject: Dispatcher | JoinHandler,
  options: RunJoinOptions | RunJoinHandlerOptions,
): Promise<JoinRun> {
  const asked = isDispatcher(subject)
    ? await askedOf(subject, options as RunJoinOptions)
    : await askedAlone(subject, options as RunJoinHandlerOptions)
  const { join, key, slots, events, places } = asked
  const missing = slots.filter((slot) => !events.has(slot))
  let hindrance: Hindrance | undefined
  const ran = await runHere(options, {
    downloader: async (given, told) =>
      new JoinDataRunner(await joinFolders(options.data, slots, given), events, told),
    handle: async (context) => {
      hindrance = asked.hindrance
      if (hindrance !== undefined) throw hindrance.error
      const bySlot = Object.fromEntries(slots.map((slot) => [slot, events.get(slot)]))
      const joined = { join: join ?? 'run-here', key: key ?? 'key', events: bySlot, missing }
      await asked.handler?.handle(joined, context)
    },
  })
  return { ...ran, outcome: hindrance?.outcome ?? ran.outcome, join, key, missing, places }
}

interface Hindrance {
  readonly outcome: JoinRun['outcome']
  readonly error: Error
}

interface Asked {
  readonly handler: JoinHandler | undefined
  readonly join: string | undefined
  readonly key: string | undefined
  readonly slots: readonly string[]
  readonly events: ReadonlyMap<string, Event>
  readonly places: readonly EventPlace[]
  /** Why the handler does not run. */
  readonly hindrance: Hindrance | undefined
}

async function askedOf({ joins }: Dispatcher, options: RunJoinOptions): Promise<Asked> {
  const events = await Promise.all(options.events.map(readEvent))
  const gathered = gatherEvents(joins ?? [], events)
  return {
    handler: gathered.join?.handler,
    join: gathered.join?.name,
    key: gathered.key,
    slots: (gathered.join?.slots ?? []).map(({ name }) => name),
    events: gathered.events,
    places: gathered.places,
    hindrance: hindranceOf(gathered, options.atDeadline ?? false),
  }
}

async function askedAlone(handler: JoinHandler, options: RunJoinHandlerOptions): Promise<Asked> {
  const events = new Map<string, Event>()
  for (const [slot, given] of Object.entries(options.events)) {
    if (given !== undefined) events.set(slot, await readEvent(given))
  }
  return {
    ...{ handler, join: undefined, key: options.key, slots: Object.keys(options.events) },
    ...{ events, places: [], hindrance: undefined },
  }
}

function hindranceOf(gathered: Gathered, atDeadline: boolean): Hindrance | undefined {
  const { join, key, events, places } = gathered
  const apart = places.some(({ became }) => became === 'apart' || became === 'refused')
  if (join === undefined || key === undefined || apart) {
    return { outcome: 'apart', error: new EventsApartError(whereTheyGo(places)) }
  }
  const filled = join.slots.map(({ name }) => name).filter((name) => events.has(name))
  if (filled.length === join.slots.length) return undefined
  const waits = new JoinWaitsError(join, key, filled)
  if (!atDeadline) return { outcome: 'waits', error: waits }
  if (join.atDeadline === 'run') return undefined
  return { outcome: 'failed', error: new JoinIncompleteError(join.name, key, waits.missing) }
}

function whereTheyGo(places: readonly EventPlace[]): string {
  const each = places.map(({ eventId, join, slot, key, reason }) => {
    const place = `slot ${slot} of the join ${join}, with the key ${JSON.stringify(key)}`
    return `${eventId}: ${reason ?? place}`
  })
  return ['the events do not fill one join', ...each].join('\n  ')
}
