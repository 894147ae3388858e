/**
 * What the tasks of events say that came to nothing in a join. Pure. Subscribers read it who may not see each other's
 * events: other events are named by their tasks, which operators can look up.
 */
import { storableFailure } from '../tasks/failure.ts'
import type { Failure } from '../tasks/task.ts'
import type { FilledSlot } from './decide.ts'

/** A join, for people. */
export interface NamedJoin {
  readonly id: string
  readonly name: string
  readonly key: string
}

function failure(type: string, value: string): Failure {
  return storableFailure({ type, value, traceback: '' })
}

export function slotTaken(join: NamedJoin, { slot, task }: FilledSlot): Failure {
  const value = `${named(join)}: its slot ${slot} holds another event, that of task ${task}, and keeps it (onDuplicate: keep)`
  return failure('JoinSlotTakenError', value)
}

/** @param by the task of the event that came later */
export function replaced(join: NamedJoin, slot: string, by: string): Failure {
  const value = `${named(join)}: another event, that of task ${by}, has taken its place in slot ${slot} (onDuplicate: replace)`
  return failure('JoinReplacedError', value)
}

export function late(join: NamedJoin, state: string): Failure {
  const value = `${named(join)} is over, ${state}, and takes no more events of this key (onLate: refuse)`
  return failure('JoinLateError', value)
}

export function incomplete(join: NamedJoin, missing: readonly string[], deadline: Date): Failure {
  const value = `${named(join)}: ${missing.join(', ')} had not come by its deadline, ${deadline.toISOString()}. Retry this task to wait anew`
  return failure('JoinIncompleteError', value)
}

export function joinCancelled(join: NamedJoin): Failure {
  return failure('JoinCancelledError', `${named(join)} was cancelled`)
}

export function noDryRun(name: string, slot: string): Failure {
  const value = `the event is for slot ${slot} of the join ${name}, and no handler runs on it alone: ask for a dry run of the join's own task, which GET /joins shows`
  return failure('JoinDryRunError', value)
}

function named({ id, name, key }: NamedJoin): string {
  return `the join ${name} with the key ${JSON.stringify(key)} (${id})`
}
