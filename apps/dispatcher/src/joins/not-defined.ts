/** Imports no platform: handlers' processes need it. */
import type { Failure } from '../tasks/task.ts'

/** A join was complete, and the definition no longer has it. */
export function notDefined(name: string): Failure {
  const value = `this dispatcher has no join called ${name} (any more): bring it back, then retry this task`
  return { type: 'JoinNotDefinedError', value, traceback: '' }
}
