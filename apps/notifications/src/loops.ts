/**
 * The workers of this process: match with authorize, and deliver. Each is one loop over rows, and any number of
 * processes may run the same ones.
 */
import {
  type Bell,
  batcher,
  createBell,
  createSlots,
  type Database,
  type Egress,
  type Health,
  isUnavailable,
  type Lifetime,
  type Log,
  type Slots,
  type Transport,
  workLoop,
} from '@pacifica/platform'
import { askAtOnce } from './authorize/ask-at-once.ts'
import { authorizeStep } from './authorize/authorize.ts'
import type { PolicyClient } from './authorize/policy-client.ts'
import { policyStore } from './authorize/policy-store.ts'
import { policyWatch } from './authorize/policy-watch.ts'
import { type Answered, type Recorded, recordAnswers } from './authorize/record-answers.ts'
import { backtestStep } from './backtest/backtest.ts'
import { createGate } from './backtest/gate.ts'
import type { BacktestMetrics } from './backtest/metrics.ts'
import type { Bells } from './bells.ts'
import {
  ASK_AT_ONCE,
  BACKTEST,
  FOLLOW_EVERY_MS,
  IDLE_MS,
  LEASE_MARGIN_MS,
  MATCH,
  type NotificationsConfig,
  RECOVER_EVERY_MS,
  TOGETHER,
} from './config.ts'
import type { Availability } from './database/availability.ts'
import { type AtOnce, atOnce } from './deliver/at-once.ts'
import { type Caps, capsOf } from './deliver/caps.ts'
import { lookAtDue } from './deliver/claim.ts'
import { claimTurns } from './deliver/claim-turns.ts'
import { disableExhausted } from './deliver/disable.ts'
import { dispatchTarget } from './deliver/dispatch-target.ts'
import { httpTarget } from './deliver/http-target.ts'
import { inFlight } from './deliver/in-flight.ts'
import { followAll, followDeliveries } from './deliver/lanes.ts'
import { adjustRamps } from './deliver/ramp.ts'
import { type Result, recordResults } from './deliver/record.ts'
import { DEFAULT_RETRY } from './deliver/retry.ts'
import { dispatcherOf } from './deliver/target.ts'
import { deliverer } from './deliver/worker.ts'
import { liveSubscriptions } from './match/live-subscriptions.ts'
import { type Matcher, matcher } from './match/match.ts'
import { matchStore } from './match/match-store.ts'
import type { PipelineMetrics } from './metrics.ts'
import type { RecentEvents } from './recent-events.ts'
import { recoverStep } from './recover/recover.ts'
import type { Secrets } from './subscriptions/auth.ts'
import type { SubscriptionStore } from './subscriptions/store.ts'

export interface LoopNeeds {
  readonly life: Lifetime
  readonly log: Log
  readonly health: Health
  readonly database: Database
  readonly bells: Bells
  readonly availability: Availability
  readonly metrics: PipelineMetrics
  readonly events: RecentEvents
}

export interface MatchLoopNeeds extends LoopNeeds {
  readonly policy: PolicyClient
  readonly subscriptions: SubscriptionStore
  /** In a process that delivers. */
  readonly deliverAtOnce?: AtOnce | undefined
}

export function startMatching(needs: MatchLoopNeeds, config: NotificationsConfig): Matcher {
  const { database: sql, bells, log, life, metrics, policy, deliverAtOnce } = needs
  const { stopping, abandoning } = life
  const watch = policyWatch(() => new Date())
  needs.health.addOutside('policy', watch.trouble)
  // Opened before the slots, so that it is closed after what is in hand has been stored.
  const record = answerRecorder(needs)
  const slots = slotsFor(needs, 'policy', config.policyConcurrency)
  const asking = { policy, slots, watch, metrics, log, random: Math.random, abandoning }
  const authorize = authorizeStep(
    { ...asking, store: policyStore({ sql, record }), deliverBell: bells.deliver },
    { leaseMs: config.policyTimeoutMs + LEASE_MARGIN_MS },
  )
  startLoop(needs, 'authorize', authorize, bells.authorize)

  const leaseMs = config.matchLeaseMs
  const matching = matcher(
    {
      ...{ log, metrics, stopping, abandoning },
      store: matchStore({ sql, leaseMs }),
      subscriptions: liveSubscriptions({ sql }),
      events: needs.events,
      askAtOnce: askAtOnce({ ...asking, stopping }, ASK_AT_ONCE),
      ...(deliverAtOnce && { deliverAtOnce }),
      follow: (subscriptions) => hint(needs, subscriptions),
      disable: needs.subscriptions.disable,
      authorizeBell: bells.authorize,
      deliverBell: bells.deliver,
    },
    {
      ...{ batch: MATCH.batch, batchMs: leaseMs / MATCH.leasePerBatch, leaseMs },
      ...{ inHand: MATCH.inHand, patienceMs: MATCH.patienceMs, restMs: MATCH.restMs },
      policyTtlMs: config.policyTtlMs,
    },
  )
  life.onClose('events in hand', () => matching.drained())
  startLoop(needs, 'match', () => matching.step(), bells.match)
  return matching
}

export interface DeliverLoopNeeds extends LoopNeeds {
  readonly transport: Transport
  readonly egress: Egress
  readonly secrets: Secrets
  readonly subscriptions: SubscriptionStore
}

/** Answers the way for deliveries that are claimed as they are stored. */
export function startDelivering(needs: DeliverLoopNeeds, config: NotificationsConfig): AtOnce {
  const { database: sql, bells, log, life } = needs
  const timeoutMs = config.deliveryTimeoutMs
  const leaseMs = timeoutMs + LEASE_MARGIN_MS
  const { policyTtlMs } = config
  const { egress, secrets } = needs
  const caps = capsOf(config)
  const http = httpTarget({ egress, secrets, now: Date.now }, { timeoutMs })
  const dispatch = dispatchTarget({ transport: needs.transport }, { timeoutMs })
  // Opened before the slots, so that it is closed after what is in hand has been stored.
  const record = recorder(needs, caps)
  const slots = slotsFor(needs, 'deliveries', config.deliveryConcurrency)
  const now = () => performance.now()
  const requests = inFlight()
  const inTurn = claimTurns({ database: sql, now, inFlight: requests })
  const claimOptions = (limit: number) => {
    const dispatching = needs.transport.publishTrouble() === undefined
    return { limit, leaseMs, policyTtlMs, caps, dispatching, own: requests.own }
  }
  const delivering = deliverer(
    {
      claim: (limit) => inTurn((within) => lookAtDue(within, claimOptions(limit))),
      follow: (subscriptions) => followDeliveries(sql, subscriptions),
      deliverBell: bells.deliver,
      record,
      disable: disableExhausted({ ...needs }, { disableAfterMs: config.disableAfterMs }),
      events: needs.events,
      targetFor: (url) => (dispatcherOf(url) === undefined ? http : dispatch),
      slots,
      inFlight: requests,
      authorizeBell: bells.authorize,
      metrics: needs.metrics,
      log,
      random: Math.random,
      now,
      abandoning: life.abandoning,
    },
    {
      retry: { ...DEFAULT_RETRY, maxAttempts: config.deliveryMaxAttempts },
      startWithinMs: LEASE_MARGIN_MS / 2,
      leaseMs,
    },
  )
  startLoop(needs, 'deliver', delivering.step, bells.deliver)
  startLoop(needs, 'lanes', followStep(needs), createBell(), FOLLOW_EVERY_MS)
  const { stopping } = life
  return atOnce({ slots, delivering, inTurn, now, stopping }, claimOptions)
}

/** The net under the lanes. */
function followStep({ database, bells, log }: LoopNeeds): () => Promise<boolean> {
  return async () => {
    const woken = await followAll(database)
    if (woken > 0) {
      log.info({ woken }, 'lanes.woken')
      bells.deliver.ring()
    }
    return false
  }
}

/** Answers of Policy that come together are stored together, and wake their lanes together. */
function answerRecorder(needs: LoopNeeds): (answered: Answered) => Promise<Recorded | undefined> {
  const group = batcher<Answered, Recorded | undefined>(
    async (answers) => {
      const recorded = await suspecting(needs, () => recordAnswers(needs.database, answers))
      await hint(
        needs,
        recorded.flatMap((one) => one?.released ?? []),
      )
      return recorded
    },
    { ...TOGETHER, repeatSingly: (error) => !isUnavailable(error) },
  )
  needs.life.onClose('answers of policy', () => group.close())
  return (answered) => group.add(answered)
}

/** After a commit: should it fail, the net finds what it has missed, and what was committed stays so. */
async function hint({ database, log }: LoopNeeds, subscriptions: readonly string[]): Promise<void> {
  try {
    await followDeliveries(database, subscriptions)
  } catch (err) {
    log.warn({ err }, 'lanes.not_followed')
  }
}

/** Recoveries are worked off where deliveries are. */
export function startRecovering(needs: LoopNeeds, config: NotificationsConfig): void {
  const { database, bells, log } = needs
  const recover = recoverStep(
    { database, deliverBell: bells.deliver, authorizeBell: bells.authorize, log },
    { pace: config.recoverPace, everyMs: RECOVER_EVERY_MS },
  )
  startLoop(needs, 'recover', recover, bells.recover, RECOVER_EVERY_MS)
}

/** Backtests ask Policy, so they run where it is asked anyway. */
export function startBacktesting(
  needs: LoopNeeds & { policy: PolicyClient; backtests: BacktestMetrics },
  config: NotificationsConfig,
): void {
  const { database, log, life, policy, bells } = needs
  const stopping = life.stopping
  const now = () => performance.now()
  const { answersKept, questionsAtOnce, batch, ...times } = BACKTEST
  const { policyTtlMs: ttlMs, policyConcurrency } = config
  const backtest = backtestStep(
    {
      ...{ database, log, now, stopping, metrics: needs.backtests },
      gate: createGate({ policy, stopping, now }, { ttlMs, most: answersKept }),
    },
    {
      ...times,
      batch: { ...batch, ttlMs },
      // Most connections to Policy stay with deliveries.
      atOnce: Math.max(1, Math.min(questionsAtOnce, Math.floor(policyConcurrency / 4))),
      questions: config.policyUrl === 'allow-all' ? Infinity : config.backtestQuestions,
      share: config.backtestShare,
      leaseMs: config.policyTimeoutMs + LEASE_MARGIN_MS + times.turnMs,
      perUser: config.backtestsPerUser,
      inAll: config.backtestsInAll,
      keepMs: config.backtestKeepMs,
    },
  )
  startLoop(needs, 'backtest', backtest, bells.backtest)
}

/** Results that come together are stored together. */
function recorder(needs: LoopNeeds, caps: Caps): (result: Result) => Promise<boolean> {
  const { database: sql } = needs
  const group = batcher<Result, boolean>(
    async (results) => {
      const ours = await suspecting(needs, async () => {
        await adjustRamps(sql, results, caps.subscription)
        return await recordResults(sql, results)
      })
      await hint(needs, waiting(results))
      return results.map((result) => ours.has(result.delivery.uuid))
    },
    { ...TOGETHER, repeatSingly: (error) => !isUnavailable(error) },
  )
  needs.life.onClose('delivery results', () => group.close())
  return (result) => group.add(result)
}

/** With all slots taken by results that cannot be stored, no loop would notice that the database is away. */
async function suspecting<T>({ availability }: LoopNeeds, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isUnavailable(error)) availability.suspect()
    throw error
  }
}

/** Subscriptions with a delivery that has to go out again. */
function waiting(results: readonly Result[]): string[] {
  return results
    .filter(({ settlement }) => settlement.dueInMs !== null)
    .map(({ delivery }) => delivery.subscription)
}

function slotsFor(needs: LoopNeeds, name: string, size: number): Slots {
  const slots = createSlots(size, (err) => needs.log.error({ err, slots: name }, 'work.failed'))
  needs.life.onClose(`${name} in hand`, () => slots.drained())
  return slots
}

/** Starts the loop, waits for it at the end, and says in /readyz when its last step failed. */
function startLoop(
  needs: LoopNeeds,
  name: string,
  step: () => Promise<boolean>,
  bell: Bell,
  idleMs = IDLE_MS,
): void {
  let trouble: string | undefined = 'has not run yet'
  const { availability } = needs
  availability.onBack(() => bell.ring())
  const watched = async () => {
    if (availability.away) {
      trouble = 'waits for the database'
      return false
    }
    try {
      const more = await step()
      trouble = undefined
      return more
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error)
      if (isUnavailable(error)) availability.suspect()
      throw error
    }
  }
  const { life, log } = needs
  const loop = workLoop(watched, { name, signal: life.stopping, bell, idleMs, log })
  life.onClose(`${name} loop`, () => loop)
  needs.health.add(`${name} loop`, () => trouble)
}
