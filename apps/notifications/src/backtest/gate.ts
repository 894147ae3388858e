/**
 * May the owner of a backtest see an event? What is on record counts as everywhere (history/find-event.ts); else Policy is
 * asked, by the same client as for deliveries. Nothing is stored: an answer is remembered for a while in this process, so
 * that the next draft over the same period does not ask again.
 */
import type { PolicyClient } from '../authorize/policy-client.ts'

export interface Verdict {
  readonly kind: 'allowed' | 'denied' | 'unknown'
  /** Of a no and of no answer. Without what Policy wrote, which may tell of the event. */
  readonly reason: string
  /** What Policy wrote. */
  readonly said: string
  /** Asked just now. */
  readonly fresh: boolean
}

/** What the tables know of an event and the owner. */
export interface OnRecord {
  readonly uuid: string
  readonly jsondata: string
  readonly readable: boolean
  /** Policy's no, with its status, if it is not older than POLICY_TTL. */
  readonly deniedWith: number | null
}

export interface Gate {
  /** What is known without asking. */
  known(owner: string, event: OnRecord): Verdict | undefined
  ask(owner: string, event: OnRecord): Promise<Verdict>
}

export interface GateOptions {
  /** How long an answer is remembered. */
  readonly ttlMs: number
  readonly most: number
}

const EXCERPT = 200
const YES: Verdict = { kind: 'allowed', reason: '', said: '', fresh: false }
/** `policy: false`, and nothing is on record. */
export const NOT_ASKED: Verdict = {
  ...{ kind: 'unknown', reason: 'Policy was not asked', said: '', fresh: false },
}

export function createGate(
  needs: { policy: Pick<PolicyClient, 'ask'>; stopping: AbortSignal; now: () => number },
  { ttlMs, most }: GateOptions,
): Gate {
  const answers = new Map<string, { verdict: Verdict; until: number }>()
  const keyOf = (owner: string, event: OnRecord) => `${event.uuid} ${owner}`

  function remember(key: string, verdict: Verdict): void {
    answers.delete(key)
    answers.set(key, { verdict: { ...verdict, fresh: false }, until: needs.now() + ttlMs })
    const [oldest] = answers.keys()
    if (answers.size > most && oldest !== undefined) answers.delete(oldest)
  }

  return {
    known(owner, event) {
      if (event.readable) return YES
      if (event.deniedWith !== null) return verdictOf('denied', event.deniedWith, '')
      const answer = answers.get(keyOf(owner, event))
      return answer !== undefined && answer.until > needs.now() ? answer.verdict : undefined
    },
    async ask(owner, event) {
      const answer = await needs.policy.ask(owner, event.jsondata, needs.stopping)
      if (answer.kind === 'unanswered') {
        const reason = answer.status === null ? 'Policy could not be asked' : told(answer.status)
        return { kind: 'unknown', reason, said: answer.reason.slice(0, EXCERPT), fresh: true }
      }
      const verdict = { ...verdictOf(answer.kind, answer.status, answer.body), fresh: true }
      remember(keyOf(owner, event), verdict)
      return verdict
    },
  }
}

function verdictOf(kind: 'allowed' | 'denied', status: number, body: string): Verdict {
  const reason = kind === 'allowed' ? '' : told(status)
  return { kind, reason, said: excerptOf(body), fresh: false }
}

/** A text of its own: a part of one would keep all of it in memory, once for each answer that is remembered. */
function excerptOf(body: string): string {
  return body.length <= EXCERPT ? body : Buffer.from(body.slice(0, EXCERPT)).toString()
}

function told(status: number): string {
  return `Policy answered ${status}`
}
