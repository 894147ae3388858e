/**
 * The second step: events are claimed, the subscriptions brought up to date, and a delivery stored for each match. Events
 * come from two sides: the loop claims what waits in the table, and what this process accepts it may claim as it is
 * stored, as long as nothing waits there. Between being matched and being stored Policy is asked (ask-at-once.ts), so
 * that many events are on their way at once; what comes of those that get there together is stored together.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Event, EventFormatError } from '@pacifica/core'
import { type Bell, batcher, insist, isUnavailable, type Log } from '@pacifica/platform'
import type { AskAtOnce, SoonAnswered } from '../authorize/ask-at-once.ts'
import { TOGETHER } from '../config.ts'
import type { AtOnce } from '../deliver/at-once.ts'
import type { PipelineMetrics } from '../metrics.ts'
import type { RecentEvents } from '../recent-events.ts'
import type { LiveSubscriptions } from './live-subscriptions.ts'
import type { ClaimedEvent, MatchStore } from './match-store.ts'
import { allowedOf, type MatchedEvent, ownersOf } from './record-matches.ts'
import { MOST_FAILURES, type Streak, streaksOf } from './streaks.ts'

export interface MatchNeeds {
  readonly store: MatchStore
  readonly subscriptions: LiveSubscriptions
  /** Default: each is read from its text. */
  readonly events?: Pick<RecentEvents, 'read'>
  /** Default: Policy is left to the loop that asks it. */
  readonly askAtOnce?: AskAtOnce
  /** Default: deliveries are left to the loop that claims them. */
  readonly deliverAtOnce?: AtOnce
  /** Wakes the lanes of these subscriptions; a hint, after a commit. */
  readonly follow: (subscriptions: readonly string[]) => Promise<unknown>
  /** Disables a subscription with the reason; false when it is already. */
  readonly disable: (subscription: string, error: string) => Promise<boolean>
  readonly authorizeBell: Pick<Bell, 'ring'>
  readonly deliverBell: Pick<Bell, 'ring'>
  readonly metrics: Pick<
    PipelineMetrics,
    'matched' | 'unmatchable' | 'expressionFailed' | 'settled'
  >
  readonly log: Log
  /** Then nothing more is taken. */
  readonly stopping: AbortSignal
  readonly abandoning: AbortSignal
}

export interface MatchOptions {
  /** The most events of one claim. */
  readonly batch: number
  /** What of a claim is not matched by then is handed back: its lease must not run out while others wait. */
  readonly batchMs: number
  /** While the database is away recording is tried again, but not for longer than that. */
  readonly leaseMs: number
  /** How long a yes of Policy holds. */
  readonly policyTtlMs: number
  /** With so many events in hand, or so many characters of them, no more are taken. */
  readonly inHand: { readonly events: number; readonly length: number }
  /** So long new events wait to be taken; after one has waited in vain nothing waits for so long, then for twice as long … */
  readonly patienceMs: number
  readonly restMs: number
}

export interface Matcher {
  /** One step of the loop: a claim, then one event that was interrupted too often to be matched beside others. */
  step(): Promise<boolean>
  /** Whether events that are about to be stored should be stored as claimed, and then be given to `take`. */
  readonly takes: boolean
  /** The same, a short while later where that may help: when more comes than goes, what comes is slowed down a little. */
  takesSoon(): Promise<boolean>
  /** How many events are in hand. */
  readonly inHand: number
  /** Resolves when these are matched; what comes of them is stored later. Rejects when they could not be looked at. */
  take(events: readonly ClaimedEvent[]): Promise<void>
  /** Resolves when nothing is in hand. */
  drained(): Promise<void>
}

export function matcher(needs: MatchNeeds, options: MatchOptions): Matcher {
  return new Matching(needs, options)
}

/** New events wait for room again after so many rests at the latest. */
const MOST_RESTS = 12

/** So long without letting others have their turn. */
const TURN_MS = 2

class Matching implements Matcher {
  readonly #needs: MatchNeeds
  readonly #options: MatchOptions
  readonly #record: (ready: Ready) => Promise<number | undefined>
  #events = 0
  #length = 0
  /** The last claim left events in the table: they go first. */
  #behind = false
  #alone = false
  #hurriesUntil = 0
  /** So often in a row new events have waited for room that did not come. */
  #inVain = 0
  #waiting: (() => void)[] = []

  constructor(needs: MatchNeeds, options: MatchOptions) {
    this.#needs = needs
    this.#options = options
    const group = batcher((ready: Ready[]) => record(needs, options, ready), {
      ...TOGETHER,
      repeatSingly: (error) => !isUnavailable(error),
    })
    this.#record = (ready) => group.add(ready)
    needs.stopping.addEventListener('abort', () => this.#wake(), { once: true })
  }

  get takes(): boolean {
    return !this.#behind && !this.#alone && !this.#needs.stopping.aborted && this.#hasRoom()
  }

  get inHand(): number {
    return this.#events
  }

  async takesSoon(): Promise<boolean> {
    const { patienceMs, restMs } = this.#options
    const mayWait = () => !this.#needs.stopping.aborted && performance.now() >= this.#hurriesUntil
    if (!this.takes && mayWait()) {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        this.#wake()
      }, patienceMs)
      await this.#until(() => this.takes || isLate || this.#needs.stopping.aborted)
      clearTimeout(timer)
      if (!this.takes && mayWait()) {
        const rests = Math.min(2 ** this.#inVain, MOST_RESTS)
        this.#hurriesUntil = performance.now() + rests * restMs
        this.#inVain += 1
      }
    }
    if (this.takes) this.#inVain = 0
    return this.takes
  }

  async step(): Promise<boolean> {
    const { store, metrics, log } = this.#needs
    await this.#until(() => this.#hasRoom())
    const together = await store.claimTogether(this.#options.batch)
    this.#behind = together.length === this.#options.batch
    this.#wake()
    await this.take(together)
    const alone = await store.claimAlone()
    if (alone.length > 0) await this.#takeAlone(alone)
    for (const event of await store.giveUp()) {
      metrics.unmatchable()
      log.error({ event }, 'event.unmatchable')
    }
    return together.length + alone.length > 0
  }

  async take(events: readonly ClaimedEvent[]): Promise<void> {
    if (events.length === 0) return
    const began = performance.now()
    for (const event of events) this.#count(event, 1)
    let next = 0
    try {
      await this.#needs.subscriptions.refresh() // after the claim: see live-subscriptions
      let turn = performance.now()
      while (next < events.length) {
        // At least one event.
        if (next > 0 && performance.now() - began > this.#options.batchMs) break
        const event = events[next] as ClaimedEvent
        next += 1
        this.#pass(event, began)
        if (performance.now() - turn < TURN_MS) continue
        await nextTurn()
        turn = performance.now()
      }
      if (next < events.length) await this.#needs.store.handBack(events.slice(next))
    } finally {
      for (const event of events.slice(next)) this.#count(event, -1)
    }
  }

  drained(): Promise<void> {
    return this.#until(() => this.#events === 0)
  }

  /** Nothing else is in hand meanwhile: should the process die of it, it takes nothing along. */
  async #takeAlone(events: readonly ClaimedEvent[]): Promise<void> {
    this.#alone = true
    try {
      await this.drained()
      await this.take(events)
      await this.drained()
    } finally {
      this.#alone = false
      this.#wake()
    }
  }

  /** An event on its way: an error of ours leaves its claim to run out, and costs no other event anything. */
  #pass(event: ClaimedEvent, began: number): void {
    const { log } = this.#needs
    this.#follow(event, began)
      .catch((err) => log.error({ err, event: event.uuid }, 'event.not_matched'))
      .finally(() => this.#count(event, -1))
  }

  async #follow(event: ClaimedEvent, began: number): Promise<void> {
    const { askAtOnce, deliverAtOnce, abandoning, log } = this.#needs
    const evaluated = evaluate(this.#needs, event)
    const owners = isCounted(evaluated) ? [] : ownersOf(evaluated.matches)
    const answers = (owners.length > 0 && (await askAtOnce?.(event, owners))) || []
    const { matches, recovered, unreadable } = evaluated
    const matched: MatchedEvent = { event, matches, recovered, unreadable, answers }
    // Who has waited for Policy already does not wait for slots too: the lease must outlast it.
    const isLate = performance.now() - began > this.#options.leaseMs / 3
    const slots = isLate ? 0 : ((await deliverAtOnce?.takeSlots(allowedOf(matched))) ?? 0)
    try {
      const afterMs = await insist(() => this.#record({ matched, slots }), {
        what: `what event ${event.uuid} matches`,
        signal: abandoning,
        withinMs: this.#options.leaseMs - this.#options.batchMs - (performance.now() - began),
        again: { firstMs: 250, maxMs: 2_000 },
        log,
      })
      tell(this.#needs, matched, afterMs)
    } catch (error) {
      deliverAtOnce?.giveBack(slots)
      throw error
    }
  }

  #hasRoom(): boolean {
    const { events, length } = this.#options.inHand
    return this.#events < events && this.#length < length
  }

  #count({ jsondata }: ClaimedEvent, change: 1 | -1): void {
    this.#events += change
    this.#length += change * jsondata.length
    if (change < 0) this.#wake()
  }

  #wake(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) await new Promise<void>((look) => this.#waiting.push(look))
  }
}

type Evaluated = Omit<MatchedEvent, 'event' | 'answers'>

/** An event that an older version accepted and this one cannot read keeps nobody else from being matched. */
function evaluate(needs: MatchNeeds, { uuid, jsondata }: ClaimedEvent): Evaluated {
  try {
    const event = needs.events?.read(uuid, jsondata) ?? Event.parse(jsondata)
    const { matches, recovered } = needs.subscriptions.match(event)
    return { matches, recovered, unreadable: null }
  } catch (error) {
    if (!(error instanceof EventFormatError)) throw error
    return { matches: [], recovered: [], unreadable: error.message }
  }
}

/** Failures in a row are counted as events are stored: those that matter stay in order, and wait for nobody. */
function isCounted({ matches, recovered }: Evaluated): boolean {
  return recovered.length > 0 || matches.some(({ failure }) => failure !== undefined)
}

/** An event on its way to be stored, with the slots that were taken for its deliveries. */
interface Ready {
  readonly matched: MatchedEvent
  readonly slots: number
}

/** For each, its age in ms when it was stored; undefined when it was no longer ours. Once stored, its slots are used. */
async function record(
  needs: MatchNeeds,
  { policyTtlMs }: MatchOptions,
  ready: readonly Ready[],
): Promise<(number | undefined)[]> {
  const { store, deliverAtOnce, metrics } = needs
  const oldest = performance.now() - policyTtlMs
  const isFresh = ({ at }: SoonAnswered) => at > oldest
  const matched = ready.map(({ matched: one }) =>
    one.answers?.every(isFresh) === false ? { ...one, answers: one.answers.filter(isFresh) } : one,
  )
  const taken = ready.reduce((sum, { slots }) => sum + slots, 0)
  const { ages, denied, asking, released } =
    deliverAtOnce === undefined || taken === 0
      ? await store.record(matched)
      : await deliverAtOnce.send(taken, (room, sql) => store.record(matched, room, sql))
  if (denied > 0) metrics.settled('denied', denied)
  if (asking) needs.authorizeBell.ring()
  if (released.length > 0) {
    await needs.follow(released)
    needs.deliverBell.ring()
  }
  const ours = matched.filter(({ event }) => ages.has(event.uuid))
  for (const streak of streaksOf(ours)) await countFailures(needs, streak)
  return matched.map(({ event }) => ages.get(event.uuid))
}

function tell(needs: MatchNeeds, matched: MatchedEvent, afterMs: number | undefined): void {
  const { event, matches, unreadable } = matched
  const { metrics, log } = needs
  if (afterMs === undefined) {
    log.warn({ event: event.uuid, claim: event.claim }, 'event.match_refused')
  } else if (unreadable !== null) {
    metrics.unmatchable()
    log.error({ event: event.uuid, reason: unreadable }, 'event.unmatchable')
  } else {
    const failed = matches.filter(({ failure }) => failure !== undefined).length
    metrics.matched(matches.length - failed, afterMs)
    if (failed > 0) metrics.settled('failed', failed)
    log.info({ event: event.uuid, matches: matches.length - failed, failed }, 'event.matched')
  }
}

/** So many failures in a row are no accident: the subscription is disabled and says why. */
async function countFailures(needs: MatchNeeds, streak: Streak): Promise<void> {
  const { subscription, failed, lastReason } = streak
  for (let count = 0; count < failed; count += 1) needs.metrics.expressionFailed()
  try {
    const inARow = await needs.store.countFailures(streak)
    if (inARow < MOST_FAILURES || lastReason === undefined) return
    const error = `its expression failed on ${inARow} events in a row; the last time: ${lastReason}`
    if (await needs.disable(subscription, error))
      needs.log.warn({ subscription, error }, 'subscription.disabled')
  } catch (err) {
    needs.log.error({ err, subscription }, 'subscription.failures_not_counted')
  }
}
