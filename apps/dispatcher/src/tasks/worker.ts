/**
 * The worker: claims tasks up to its number of hands, has each run, and stores what came of it. Beside it a heartbeat
 * lengthens the leases of what is in hand; a task whose lease is lost is told to stop, and its result is dropped.
 */
import { type Bell, createBell, insist, type Log, workLoop } from '@pacifica/platform'
import type { RetryPolicy } from './retry.ts'
import { LeaseLostError, TaskCancelledError } from './stop-reasons.ts'
import type { ClaimedTask, Held } from './store.ts'
import { abandoned, type Outcome, type Settlement, settle } from './task.ts'

export interface WorkerNeeds {
  readonly store: {
    /** @param bytes what the tasks in hand have of files */
    claim(limit: number, except: readonly string[], bytes: number): Promise<ClaimedTask[]>
    abandon(except: readonly string[], settlement: Settlement): Promise<string[]>
    renew(held: readonly Held[]): Promise<Set<string>>
    /** Which of these tasks somebody wants to end. */
    cancelled(ids: readonly string[]): Promise<Set<string>>
    record(held: Held, settlement: Settlement): Promise<boolean>
  }
  /** Runs the handler. Never rejects. An aborted signal, with a LeaseLostError or not, asks it to end. */
  readonly run: (task: ClaimedTask, signal: AbortSignal) => Promise<Outcome>
  /** Rung when there may be a task to claim. */
  readonly bell: Bell
  /** Rung when somebody wants a task to end; without it the next heartbeat finds out. */
  readonly cancelBell?: Bell
  readonly log: Log
  /** Told how every task ended that this worker stored. */
  readonly onSettled?: (settlement: Settlement) => void
}

export interface WorkerOptions {
  readonly concurrency: number
  readonly retry: RetryPolicy
  readonly heartbeatMs: number
  readonly idleMs: number
}

interface Hand {
  readonly task: ClaimedTask
  readonly stop: AbortController
  readonly startedAt: number
}

export class TaskWorker {
  readonly #needs: WorkerNeeds
  readonly #options: WorkerOptions
  readonly #hands = new Map<string, Hand>()
  readonly #performances = new Set<Promise<void>>()
  #lastLook = performance.now()

  constructor(needs: WorkerNeeds, options: WorkerOptions) {
    this.#needs = needs
    this.#options = options
  }

  /** How many tasks are in hand. */
  get inHand(): number {
    return this.#hands.size
  }

  /** What their events' files have together. */
  get bytesInHand(): number {
    return [...this.#hands.values()].reduce((sum, { task }) => sum + task.size, 0)
  }

  /** Undefined while it looks for work regularly; else what is wrong, for readiness. */
  trouble(): string | undefined {
    const silentMs = performance.now() - this.#lastLook
    if (silentMs < 60_000 + 3 * this.#options.idleMs) return undefined
    return `has not been able to look for tasks for ${Math.round(silentMs / 1000)} s`
  }

  /**
   * Works until `stopping`, then ends what is in hand; `abandoning` tells the handlers to end at once. Resolves when
   * nothing is in hand any more.
   */
  async run({ stopping, abandoning }: { stopping: AbortSignal; abandoning: AbortSignal }) {
    const { bell, cancelBell = createBell(), log } = this.#needs
    const { idleMs, heartbeatMs } = this.#options
    const ended = new AbortController()
    const beat = { name: 'heartbeat', signal: ended.signal, bell: cancelBell, log }
    const beating = workLoop(() => this.#beat(), { ...beat, idleMs: heartbeatMs })
    const drop = () => {
      for (const { stop } of this.#hands.values()) stop.abort(abandoning.reason)
    }
    abandoning.addEventListener('abort', drop, { once: true })
    const look = () => this.#look(stopping, abandoning)
    await workLoop(look, { name: 'tasks', signal: stopping, bell, idleMs, log })
    await Promise.all(this.#performances)
    abandoning.removeEventListener('abort', drop)
    ended.abort()
    await beating
  }

  async #look(stopping: AbortSignal, abandoning: AbortSignal): Promise<boolean> {
    const { store, log, onSettled } = this.#needs
    const { concurrency, retry } = this.#options
    const inHand = [...this.#hands.keys()]
    const settlement = abandoned(retry.maxStarts)
    for (const task of await store.abandon(inHand, settlement)) {
      log.error({ task, reason: settlement.failure?.value }, 'task.abandoned')
      onSettled?.(settlement)
    }
    const free = concurrency - inHand.length
    const claimed = free > 0 ? await store.claim(free, inHand, this.bytesInHand) : []
    this.#lastLook = performance.now()
    for (const task of claimed) {
      if (stopping.aborted) await this.#record(task, settle({ kind: 'interrupted' }), abandoning)
      else this.#start(task, abandoning)
    }
    return false // a hand that comes free rings the bell
  }

  #start(task: ClaimedTask, abandoning: AbortSignal): void {
    const hand = { task, stop: new AbortController(), startedAt: performance.now() }
    this.#hands.set(task.id, hand)
    const performing = this.#perform(hand, abandoning).finally(() => {
      this.#hands.delete(task.id)
      this.#performances.delete(performing)
      this.#needs.bell.ring()
    })
    this.#performances.add(performing)
  }

  async #perform({ task, stop, startedAt }: Hand, abandoning: AbortSignal): Promise<void> {
    const outcome = await this.#needs.run(task, stop.signal)
    const settlement = settle(outcome, task, this.#options.retry, Math.random())
    const recorded = settlement !== undefined && (await this.#record(task, settlement, abandoning))
    if (settlement !== undefined && recorded) this.#needs.onSettled?.(settlement)
    const stored = recorded || outcome.kind === 'joined'
    const afterMs = settlement?.again?.afterMs
    // Looked for when it is due; beyond that the next look that comes anyway finds it.
    if (afterMs !== undefined && afterMs > 0 && afterMs < this.#options.idleMs) {
      setTimeout(() => this.#needs.bell.ring(), afterMs).unref()
    }
    const level = stored ? 'info' : 'warn'
    this.#needs.log[level](
      {
        task: task.id,
        outcome: outcome.kind,
        state: settlement?.state,
        stored,
        attempt: task.attempts,
        retries: task.retries,
        againMs: settlement?.again?.afterMs,
        reason: settlement?.failure?.value,
        ms: Math.round(performance.now() - startedAt),
        trace: task.trace,
      },
      'task.settled',
    )
  }

  /** False when it was not stored: somebody else has the task, or will when its lease has run out. */
  async #record(held: Held, settlement: Settlement, abandoning: AbortSignal): Promise<boolean> {
    const { store, log } = this.#needs
    const insisting = { what: `the result of task ${held.id}`, signal: abandoning, log }
    return await insist(() => store.record(held, settlement), insisting).catch(() => false)
  }

  async #beat(): Promise<boolean> {
    const hands = [...this.#hands.values()]
    if (hands.length === 0) return false
    const { store } = this.#needs
    const ours = await store.renew(hands.map((hand) => hand.task))
    const cancelled = await store.cancelled(hands.map((hand) => hand.task.id))
    for (const { task, stop } of hands) {
      if (!ours.has(task.id)) stop.abort(new LeaseLostError(task.id))
      else if (cancelled.has(task.id)) stop.abort(new TaskCancelledError())
    }
    return false
  }
}
