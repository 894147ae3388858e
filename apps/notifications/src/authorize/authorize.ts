/**
 * The third step: Policy is asked once for each event and user. Nothing is delivered without a yes; no answer is
 * asked for again, with backoff, without end, and is never the subscriber's fault.
 */
import { type Bell, backoff, claimInSlots, insist, type Log, type Slots } from '@pacifica/platform'
import type { PipelineMetrics } from '../metrics.ts'
import type { PolicyAnswer, PolicyClient } from './policy-client.ts'
import type { PolicyStore, Question } from './policy-store.ts'
import type { PolicyWatch } from './policy-watch.ts'

export interface AuthorizeNeeds {
  readonly store: PolicyStore
  readonly policy: PolicyClient
  readonly slots: Slots
  readonly watch: Pick<PolicyWatch, 'saw'>
  readonly deliverBell: Pick<Bell, 'ring'>
  readonly metrics: Pick<PipelineMetrics, 'policyAnswered' | 'authorized' | 'settled'>
  readonly log: Log
  readonly random: () => number
  /** Aborts what is being asked; unanswered questions are asked again after their lease. */
  readonly abandoning: AbortSignal
}

export const ASK_AGAIN = { firstMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.1 }

/** One step of the loop: claims as many questions as can be asked now. */
export function authorizeStep(
  needs: AuthorizeNeeds,
  options: { leaseMs: number },
): () => Promise<boolean> {
  return async () => {
    await needs.slots.free()
    const claim = (room: number) => needs.store.claim(room, options.leaseMs)
    const questions = await claimInSlots(needs.slots, claim, ({ length }) => length)
    for (const question of questions) needs.slots.start(() => ask(needs, options, question))
    return questions.length > 0
  }
}

async function ask(
  needs: AuthorizeNeeds,
  { leaseMs }: { leaseMs: number },
  question: Question,
): Promise<void> {
  const { event, owner } = question
  const began = performance.now()
  const answer = await needs.policy.ask(owner, question.jsondata, needs.abandoning)
  if (needs.abandoning.aborted) return // asked again when the lease ends: the silence was ours
  needs.watch.saw(answer)
  needs.metrics.policyAnswered(answer.kind)
  const askAgainMs = backoff(question.asked, ASK_AGAIN, needs.random)
  const recorded = await insist(() => needs.store.record(question, answer, askAgainMs), {
    what: `the answer of policy for event ${event}`,
    signal: needs.abandoning,
    withinMs: began + leaseMs - performance.now(),
    again: { firstMs: 250, maxMs: 2_000 },
    log: needs.log,
  })
  if (answer.kind === 'allowed') needs.deliverBell.ring()
  if (recorded?.firstAfterMs !== undefined) needs.metrics.authorized(recorded.firstAfterMs)
  if (recorded && recorded.denied > 0) needs.metrics.settled('denied', recorded.denied)
  const ms = performance.now() - began
  logAnswer(needs.log, { event, owner, ours: recorded !== undefined, ms }, answer, askAgainMs)
}

/** @param askAgainMs when there was no answer */
export function logAnswer(
  log: Log,
  asked: { event: string; owner: string; ours: boolean; ms: number },
  answer: PolicyAnswer,
  askAgainMs: number,
): void {
  const { event, owner, ours } = asked
  const { kind, status } = answer
  const line = { event, owner, ours, ms: Math.round(asked.ms), answer: kind, status }
  if (answer.kind === 'unanswered')
    log.warn({ ...line, reason: answer.reason, next: askAgainMs }, 'policy.unanswered')
  else log.info(line, 'policy.answered')
}
