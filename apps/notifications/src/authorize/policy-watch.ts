/**
 * Whether Policy answers, for readiness: a site whose Policy is away delivers nothing, and nothing else tells its
 * operator so. One lost answer is no trouble; none for a while is.
 */
import type { PolicyAnswer } from './policy-client.ts'

export interface PolicyWatch {
  saw(answer: PolicyAnswer): void
  /** Undefined while Policy answers, or was not asked. */
  trouble(): string | undefined
}

const IN_A_ROW = 3

export function policyWatch(now: () => Date): PolicyWatch {
  let unanswered = 0
  let since = now()
  let reason = ''
  return {
    saw(answer) {
      if (answer.kind !== 'unanswered') {
        unanswered = 0
        return
      }
      if (unanswered === 0) since = now()
      unanswered += 1
      reason = answer.reason
    },
    trouble() {
      if (unanswered < IN_A_ROW) return undefined
      return `no answer since ${since.toISOString()}, so nothing is delivered that needs one; the last: ${reason}`
    },
  }
}
