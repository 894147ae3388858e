/** Routes an event and runs its handler in this process: what every isolation does in the end. */
import {
  type Dispatcher,
  type Event,
  RouteNotFoundRouterError,
  type TaskContext,
} from '@pacifica/core'
import { retryOf } from '../tasks/retry.ts'
import type { Outcome } from '../tasks/task.ts'
import { describeThrown } from '../tasks/thrown.ts'

/**
 * Never rejects. The failure in the outcome is not fit to be stored yet.
 * @param workingFolder cut off from the paths in tracebacks
 */
export async function runHere(
  dispatcher: Dispatcher,
  event: Event,
  context: TaskContext,
  workingFolder: string,
): Promise<Outcome> {
  try {
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
