/**
 * The fourth step: due deliveries are claimed, sent, and what became of them recorded. At least once, never lost:
 * whatever happens between claim and record, the lease runs out and the delivery is claimed again.
 */
import { Event } from '@pacifica/core'
import {
  type Bell,
  childTrace,
  claimInSlots,
  insist,
  type Log,
  type Slots,
} from '@pacifica/platform'
import type { PipelineMetrics } from '../metrics.ts'
import type { RecentEvents } from '../recent-events.ts'
import type { ClaimedDelivery, Look } from './claim.ts'
import { type Outcome, type Settlement, settle } from './delivery.ts'
import type { InFlight } from './in-flight.ts'
import type { Result } from './record.ts'
import type { RetryPolicy } from './retry.ts'
import type { Target } from './target.ts'

export interface DeliverNeeds {
  readonly claim: (limit: number) => Promise<Look>
  /** Wakes the lanes of these subscriptions when something of theirs is due. */
  readonly follow: (subscriptions: readonly string[]) => Promise<unknown>
  /** Resolves to whether the delivery was still ours. */
  readonly record: (result: Result) => Promise<boolean>
  /** Why a subscription must be disabled at once, or that one of its deliveries is exhausted. */
  readonly disable: (subscription: string, settlement: Settlement) => Promise<void>
  readonly targetFor: (targetUrl: string) => Target
  /** Default: each is read from its text. */
  readonly events?: Pick<RecentEvents, 'read'>
  readonly slots: Slots
  readonly inFlight: Pick<InFlight, 'answered' | 'stored'>
  /** Rung when something may be due. */
  readonly deliverBell: Pick<Bell, 'wait'>
  /** Rung when policy has to be asked. */
  readonly authorizeBell: Pick<Bell, 'ring'>
  readonly metrics: Pick<PipelineMetrics, 'settled' | 'attempted' | 'claimedLate'>
  readonly log: Log
  readonly random: () => number
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number
  readonly abandoning: AbortSignal
}

export interface DeliverOptions {
  readonly retry: RetryPolicy
  /** A claim that is older when its turn comes is handed back unsent: its lease might end before the request does. */
  readonly startWithinMs: number
  /** While the database is away recording is tried again until the lease ends; then others may have the delivery. */
  readonly leaseMs: number
}

export interface Deliverer {
  /** One step of the loop: claims as many deliveries as can be started now. */
  readonly step: () => Promise<boolean>
  /** Sends, in slots that were taken, what was claimed elsewhere. `claimedAt`, on the clock `now`: not later than that. */
  start(claimed: readonly ClaimedDelivery[], claimedAt: number): void
}

export function deliverer(needs: DeliverNeeds, options: DeliverOptions): Deliverer {
  const { slots, inFlight } = needs
  let room = new AbortController()
  const run = async (delivery: ClaimedDelivery, claimedAt: number) => {
    let madeRoom = false
    const answered = () => {
      madeRoom = inFlight.answered(delivery)
      if (madeRoom) room.abort(ROOM)
    }
    try {
      await deliver(needs, options, delivery, claimedAt, answered)
    } finally {
      inFlight.stored(delivery, madeRoom)
      room.abort(ROOM)
    }
  }
  const start = (claimed: readonly ClaimedDelivery[], claimedAt: number) => {
    for (const delivery of claimed) slots.start(() => run(delivery, claimedAt))
  }
  return {
    start,
    async step() {
      await slots.free()
      const claimedAt = needs.now()
      room = new AbortController()
      const look = await claimInSlots(slots, needs.claim, ({ claimed }) => claimed.length)
      const { claimed, aside, follow, late, blocked } = look
      start(claimed, claimedAt)
      for (const state of aside) needs.metrics.settled(state)
      if (aside.includes('pending')) needs.authorizeBell.ring()
      await needs.follow(follow)
      // Until one of ours makes room, or, for the sake of other workers', for a short while.
      if (blocked && !late) await needs.deliverBell.wait(BLOCKED_MS, room.signal)
      // Lanes that were put to sleep with nothing in them have made room for others.
      return claimed.length + aside.length + follow.length > 0 || late || blocked
    },
  }
}

/** Given, so that nobody makes an error with a stack for each delivery. */
const ROOM = 'a request has made room'

/** What is due and may not be sent is looked at again so soon. */
const BLOCKED_MS = 100

/** Soon, since all that wait share a statement. */
const RECORD_AGAIN = { firstMs: 250, maxMs: 2_000 }

async function deliver(
  needs: DeliverNeeds,
  options: DeliverOptions,
  claimed: ClaimedDelivery,
  claimedAt: number,
  answered: () => void,
): Promise<void> {
  const delivery = { ...claimed, trace: childTrace(claimed.trace) }
  const began = needs.now()
  needs.metrics.claimedLate(delivery.lateMs + began - claimedAt)
  const inTime = began - claimedAt <= options.startWithinMs
  const outcome: Outcome = inTime ? await send(needs, delivery) : { kind: 'unsent' }
  const ended = needs.now()
  // What failed makes room when that is stored: it may change what is sent there.
  if (outcome.kind === 'accepted' && !delivery.ramped) answered()
  const retry = { ...options.retry, ...delivery.retry }
  const settlement = settle(delivery, outcome, retry, needs.random())
  const durationMs = ended - began
  const record = () =>
    needs.record({ delivery, outcome, settlement, beganAgoMs: needs.now() - began, durationMs })
  const ours = await insist(record, {
    what: `what became of delivery ${delivery.uuid}`,
    signal: needs.abandoning,
    withinMs: claimedAt + options.leaseMs - ended,
    again: RECORD_AGAIN,
    log: needs.log,
  })
  needs.metrics.attempted(outcome, durationMs)
  if (ours) needs.metrics.settled(settlement.state)
  logOutcome(needs.log, delivery, outcome, settlement, durationMs, ours)
  if (ours && settlement.state === 'exhausted')
    await needs.disable(delivery.subscription, settlement)
}

/** The event in the subscription's version, its extensions merged in, to the subscription's target. */
async function send(needs: DeliverNeeds, delivery: ClaimedDelivery): Promise<Outcome> {
  try {
    const { event: uuid, jsondata } = delivery
    const event = needs.events?.read(uuid, jsondata) ?? Event.parse(jsondata)
    const body = event.toBody(delivery.version, JSON.parse(delivery.extensions))
    return await needs.targetFor(delivery.targetUrl).send(delivery, body, needs.abandoning)
  } catch (error) {
    return { kind: 'impossible', reason: error instanceof Error ? error.message : String(error) }
  }
}

function logOutcome(
  log: Log,
  delivery: ClaimedDelivery,
  outcome: Outcome,
  settlement: Settlement,
  durationMs: number,
  ours: boolean,
): void {
  const line = {
    delivery: delivery.uuid,
    event: delivery.event,
    subscription: delivery.subscription,
    attempt: settlement.attempt,
    outcome: outcome.kind,
    status: 'status' in outcome ? outcome.status : undefined,
    reason: 'reason' in outcome ? outcome.reason : undefined,
    state: settlement.state,
    next: settlement.dueInMs,
    ms: Math.round(durationMs),
    trace: delivery.trace,
  }
  if (ours) log.info(line, 'delivery.settled')
  else log.warn({ ...line, claim: delivery.claim }, 'delivery.refused_late_result')
}
