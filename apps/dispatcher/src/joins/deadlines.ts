/** One look at the deadlines: ends one join that is past its own, or says when to look again. */
import type { endDue } from './end.ts'

export interface DeadlineNeeds {
  readonly endDue: () => ReturnType<typeof endDue>
  /** Milliseconds until the next deadline; undefined without one. */
  readonly nextDeadline: () => Promise<number | undefined>
  readonly onEnded: (ended: NonNullable<Awaited<ReturnType<typeof endDue>>>) => void
  /** Wakes the loop when a deadline comes. */
  readonly lookAgain: (ms: number) => void
  /** The loop looks by itself that often: a deadline that comes later need not be told. */
  readonly withinMs: number
}

/** One step of the loop: true when there may be more to do at once. */
export function deadlineStep(needs: DeadlineNeeds): () => Promise<boolean> {
  return async () => {
    const ended = await needs.endDue()
    if (ended !== undefined) {
      needs.onEnded(ended)
      return true
    }
    const ms = await needs.nextDeadline()
    // One that is past waits for events that came in before it: the next look sees to it.
    if (ms !== undefined && ms > 0 && ms < needs.withinMs) needs.lookAgain(Math.ceil(ms))
    return false
  }
}
