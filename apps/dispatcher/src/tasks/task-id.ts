/** The task ids that people type: upper case, braces, `urn:uuid:` and no dashes are all fine, as they were in Python. */
export class TaskIdError extends Error {
  readonly code = 'TASK_ID'
}

export class TaskNotFoundError extends Error {
  readonly code = 'TASK_NOT_FOUND'
}

/** @throws TaskIdError for what is no UUID */
export function parseTaskId(text: string, what: 'task' | 'join' = 'task'): string {
  const digits = text.replace(/^urn:uuid:/i, '').replaceAll(/[{}-]/g, '')
  const parts = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(digits.toLowerCase())
  if (parts === null || !/^[0-9a-f]+$/i.test(digits)) {
    throw new TaskIdError(
      `"${text.slice(0, 60)}" is no ${what} id: 32 hexadecimal digits are expected`,
    )
  }
  return parts.slice(1).join('-')
}

/** There is nothing to cancel any more. */
export class TaskEndedError extends Error {
  readonly code = 'TASK_ENDED'
}

/** There is nothing to retry. */
export class TaskNotFailedError extends Error {
  readonly code = 'TASK_NOT_FAILED'
}
