/** Stands before whatever runs handlers: what the loop guard refuses does not come to a handler. */
import type { Event, Router } from '@pacifica/core'
import { failureOf } from '../tasks/failure.ts'
import { refusalOf } from '../tasks/loop-guard.ts'
import type { Outcome } from '../tasks/task.ts'

interface Runs<J> {
  run(job: J, signal: AbortSignal): Promise<Outcome>
}

/** @param dispatcher the name under which this one notes its results */
export function guardLoops<J extends { readonly event: Event }>(
  isolation: Runs<J>,
  {
    dispatcher,
    router,
  }: { readonly dispatcher: string; readonly router: Pick<Router, 'findRoute'> },
): Runs<J> {
  return {
    async run(job, signal) {
      const refusal = refusalOf(job.event, dispatcher)
      if (refusal === undefined || mayLoop(router, job.event)) return isolation.run(job, signal)
      const failure = failureOf(refusal, process.cwd())
      return { kind: 'refused', failure: { ...failure, traceback: '' } }
    },
  }
}

/** Also when there is no route, or none can be found out: the run will say so, and no handler begins. */
function mayLoop(router: Pick<Router, 'findRoute'>, event: Event): boolean {
  try {
    return router.findRoute(event)?.allowLoops ?? true
  } catch {
    return true
  }
}
