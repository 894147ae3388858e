/** Why a run is told to end: what its signal is aborted with. */

export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly code = 'LEASE_LOST'
  constructor(taskId: string) {
    super(`task ${taskId}: the lease ran out and somebody else has claimed the task`)
  }
}

export class TaskCancelledError extends Error {
  override readonly name = 'TaskCancelledError'
  readonly code = 'TASK_CANCELLED'
  constructor() {
    super('the task was cancelled')
  }
}

export class TaskTimeoutError extends Error {
  override readonly name = 'TaskTimeoutError'
  readonly code = 'TASK_TIMEOUT'
  constructor() {
    super("the task's time is up")
  }
}
