/** Routes an event and runs its handler in this process: what every isolation does in the end. */
import { type Dispatcher, RouteNotFoundRouterError, type TaskContext } from '@pacifica/core'
import { notDefined } from '../joins/not-defined.ts'
import { retryOf } from '../tasks/retry.ts'
import type { Outcome } from '../tasks/task.ts'
import { describeThrown } from '../tasks/thrown.ts'
import type { Job, JoinedJob } from './isolation.ts'

/** An event to be routed, or the events of a join. */
export type Work = Pick<Job, 'event' | 'joined'>

/**
 * Never rejects. The failure in the outcome is not fit to be stored yet.
 * @param workingFolder cut off from the paths in tracebacks
 */
export async function runHere(
  dispatcher: Dispatcher,
  work: Work,
  context: TaskContext,
  workingFolder: string,
): Promise<Outcome> {
  const { event, joined } = work
  try {
    if (joined !== undefined) return await runJoined(dispatcher, joined, context)
    const route = dispatcher.router.findRoute(event)
    if (route !== undefined) {
      await route.handler.handle(event, context)
      return { kind: 'done' }
    }
    // It is nobody's code that went wrong, so there is no traceback.
    const failure = describeThrown(new RouteNotFoundRouterError(event), workingFolder)
    return { kind: 'unrouted', failure: { ...failure, traceback: '' } }
  } catch (error) {
    return { kind: 'threw', failure: describeThrown(error, workingFolder), ...retryOf(error) }
  }
}

/** By the definition as it is now: what has no slot in it is left out. */
async function runJoined(
  { joins }: Dispatcher,
  { join: name, key, events: given }: JoinedJob,
  context: TaskContext,
): Promise<Outcome> {
  const join = joins.find((one) => one.name === name)
  if (join === undefined) return { kind: 'unrouted', failure: notDefined(name) }
  const slots = join.slots.map((slot) => slot.name)
  // Not by `given[slot]` alone: a slot may be called `constructor`.
  const there = new Map(Object.entries(given))
  const events = Object.fromEntries(slots.map((slot) => [slot, there.get(slot)]))
  const missing = slots.filter((slot) => events[slot] === undefined)
  await join.handler.handle({ join: name, key, events, missing }, context)
  return { kind: 'done' }
}
