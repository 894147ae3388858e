/** Stands before whatever runs handlers: what the loop guard refuses does not come to a handler. */
import type { Event, Join, Router } from '@pacifica/core'
import { failureOf } from '../tasks/failure.ts'
import { refusalOf } from '../tasks/loop-guard.ts'
import type { Outcome } from '../tasks/task.ts'
import type { Job } from './isolation.ts'

interface Runs<J> {
  run(job: J, signal: AbortSignal): Promise<Outcome>
}

/** @param dispatcher the name under which this one notes its results */
export function guardLoops<J extends Pick<Job, 'event' | 'joined'>>(
  isolation: Runs<J>,
  {
    dispatcher,
    router,
    joins = [],
  }: {
    readonly dispatcher: string
    readonly router: Pick<Router, 'findRoute'>
    readonly joins?: readonly Pick<Join, 'name' | 'allowLoops'>[]
  },
): Runs<J> {
  const mayGoOn = ({ event, joined }: J) =>
    joined === undefined
      ? mayLoop(router, event)
      : (joins.find(({ name }) => name === joined.join)?.allowLoops ?? true)
  return {
    async run(job, signal) {
      const events = job.joined === undefined ? job.event : Object.values(job.joined.events)
      const refusal = refusalOf(events, dispatcher)
      if (refusal === undefined || mayGoOn(job)) return isolation.run(job, signal)
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
