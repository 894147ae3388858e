/**
 * Policy asked while an event is still in the hand of who matches it, so that its answer is stored with the match. That
 * saves most events the row of a question, which is stored, claimed and answered (authorize.ts) in three more statements.
 * An event does not wait for long: what has not been answered soon is left to that loop, and while Policy is slow all is.
 */
import { backoff, type Log, type Slots } from '@pacifica/platform'
import type { PipelineMetrics } from '../metrics.ts'
import { ASK_AGAIN, logAnswer } from './authorize.ts'
import type { PolicyAnswer, PolicyClient } from './policy-client.ts'
import type { PolicyWatch } from './policy-watch.ts'

export interface SoonAnswered {
  readonly owner: string
  readonly answer: PolicyAnswer
  /** When there was no answer. */
  readonly askAgainMs: number
  /** On the clock of `performance.now()`. */
  readonly at: number
}

/** What Policy says of the event, for these users; who is not in the answer is to be asked by the loop. Never rejects. */
export type AskAtOnce = (
  event: { readonly uuid: string; readonly jsondata: string },
  owners: readonly string[],
) => Promise<readonly SoonAnswered[]>

export interface AskAtOnceNeeds {
  readonly policy: PolicyClient
  /** Shared with the loop, to which a quarter of them is left, one at least. */
  readonly slots: Slots
  readonly watch: Pick<PolicyWatch, 'saw'>
  readonly metrics: Pick<PipelineMetrics, 'policyAnswered' | 'authorized'>
  readonly log: Log
  readonly random: () => number
  /** Then nothing waits any longer. */
  readonly stopping: AbortSignal
  readonly abandoning: AbortSignal
}

export interface AskAtOnceOptions {
  /** An event that is for more users than these is left to the loop. */
  readonly mostUsers: number
  /** How long a question waits for its turn. */
  readonly waitMs: number
  /** How long Policy may take. */
  readonly patienceMs: number
  /** After it has taken longer, or no turn has come, all is left to the loop for so long. */
  readonly restMs: number
}

export function askAtOnce(needs: AskAtOnceNeeds, options: AskAtOnceOptions): AskAtOnce {
  const { slots, policy, stopping, abandoning } = needs
  const { waitMs, patienceMs, restMs, mostUsers } = options
  const turn = { leave: Math.ceil(slots.size / 4), withinMs: waitMs }
  let restsUntil = 0
  const rests = () => stopping.aborted || performance.now() < restsUntil

  async function ask(uuid: string, text: string, owner: string): Promise<SoonAnswered | undefined> {
    const began = performance.now()
    const answer = await policy.ask(owner, text, abandoning, patienceMs)
    const at = performance.now()
    if (abandoning.aborted) return undefined // the silence was ours
    if (answer.kind === 'unanswered' && answer.late === true) {
      restsUntil = at + restMs
      return undefined
    }
    needs.watch.saw(answer)
    needs.metrics.policyAnswered(answer.kind)
    if (answer.kind !== 'unanswered') needs.metrics.authorized(at - began)
    const askAgainMs = backoff(1, ASK_AGAIN, needs.random)
    logAnswer(needs.log, { event: uuid, owner, ours: true, ms: at - began }, answer, askAgainMs)
    return { owner, answer, askAgainMs, at }
  }

  async function askInTurn(uuid: string, text: string, owner: string) {
    if (rests()) return undefined
    if (!(await slots.takeInTurn(1, turn))) {
      restsUntil = performance.now() + restMs
      return undefined
    }
    try {
      return rests() ? undefined : await ask(uuid, text, owner)
    } finally {
      slots.giveBack(1)
    }
  }

  return async ({ uuid, jsondata }, owners) => {
    if (owners.length > mostUsers) return []
    const answers = await Promise.all(owners.map((owner) => askInTurn(uuid, jsondata, owner)))
    return answers.filter((answer) => answer !== undefined)
  }
}
