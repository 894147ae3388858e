/** The step before a handler: an event that is for a join goes there, and its task is through or waits. */
import { Event, type Join, JoinKeyError, placeOf } from '@pacifica/core'
import type { Log } from '@pacifica/platform'
import { failureOf } from '../tasks/failure.ts'
import { refusalOf } from '../tasks/loop-guard.ts'
import type { ClaimedTask } from '../tasks/store.ts'
import type { Failure, Outcome } from '../tasks/task.ts'
import { noDryRun } from './failures.ts'
import type { Filled, Place } from './fill.ts'

export interface PlaceNeeds {
  readonly joins: readonly Join[]
  /** The name under which this dispatcher notes its results. */
  readonly dispatcher: string
  /** Resolves when that is stored; waits for a database that is away until `signal` aborts. */
  readonly fill: (task: ClaimedTask, place: Place, signal: AbortSignal) => Promise<Filled>
  readonly log: Pick<Log, 'info'>
}

/** Undefined: the task is for a handler. Rejects when a path cannot be evaluated on the event, or the run has to end. */
export async function place(
  { joins, dispatcher, fill, log }: PlaceNeeds,
  task: ClaimedTask,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (joins.length === 0 || task.joinRun !== null) return undefined
  const event = Event.parse(task.event)
  const found = findPlace(joins, event)
  if (found === undefined || 'kind' in found) return found
  const { join, slot, key } = found
  const refusal = join.allowLoops ? undefined : refusalOf(event, dispatcher)
  if (refusal !== undefined) return refused(failureOf(refusal, process.cwd()))
  if (task.kind === 'dry-run') return refused(noDryRun(join.name, slot))
  const { name, deadlineMs, atDeadline, onDuplicate } = join
  // Whoever retries by hand knows that the join is over: its event waits anew.
  const onLate = task.kind === 'retry' ? 'open' : join.onLate
  const slots = join.slots.map((one) => one.name)
  const filled = await fill(
    task,
    { name, slot, key, slots, deadlineMs, atDeadline, onDuplicate, onLate },
    signal,
  )
  log.info({ task: task.id, name, key, slot, ...filled }, 'join.event')
  return filled.kind === 'joined' ? { kind: 'joined' } : filled
}

/** A key that is none is the event's fault, or its path's: it is refused, as without a route. */
function findPlace(joins: readonly Join[], event: Event) {
  try {
    return placeOf(joins, event)
  } catch (error) {
    if (error instanceof JoinKeyError) return refused(failureOf(error, process.cwd()))
    throw error
  }
}

/** It is nobody's code that went wrong, so there is no traceback. */
function refused(failure: Failure): Extract<Outcome, { readonly kind: 'refused' }> {
  return { kind: 'refused', failure: { ...failure, traceback: '' } }
}
