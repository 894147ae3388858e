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

/** The task's folder holds more than it may. */
export class ScratchQuotaError extends Error {
  override readonly name = 'ScratchQuotaError'
  readonly code = 'SCRATCH_QUOTA'
  constructor(bytes: number, maxBytes: number) {
    super(
      `the task's folder holds ${bytes} bytes, and may hold ${maxBytes} (DISPATCHER_SCRATCH_QUOTA): its input, its result and what the handler keeps there`,
    )
  }
}
