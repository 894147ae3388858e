/**
 * An error as it stands in the log: an allow-list, because clients hang requests, headers and options on theirs.
 */
const MEMBERS = ['code', 'errno', 'syscall', 'address', 'port', 'path', 'statusCode'] as const
const MAX_CAUSES = 5

export interface LoggedError {
  type: string
  message: string
  stack?: string
  cause?: LoggedError | string
  errors?: (LoggedError | string)[]
  [member: string]: unknown
}

export function errorForLog(error: unknown, depth = 0): LoggedError | string {
  if (!(error instanceof Error)) return textOf(error)
  const logged: LoggedError = { type: error.constructor.name || error.name, message: error.message }
  for (const member of MEMBERS) {
    const value: unknown = Reflect.get(error, member)
    if (typeof value === 'string' || typeof value === 'number') logged[member] = value
  }
  if (error.stack !== undefined) logged.stack = error.stack
  if (depth >= MAX_CAUSES) return logged
  if (error.cause !== undefined) logged.cause = errorForLog(error.cause, depth + 1)
  if (error instanceof AggregateError) {
    logged.errors = error.errors.slice(0, MAX_CAUSES).map((inner) => errorForLog(inner, depth + 1))
  }
  return logged
}

/** What somebody threw that is no Error: only its kind, for it may hold anything. */
function textOf(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null)
    return `thrown: ${thrown.constructor?.name ?? 'object'}`
  return `thrown: ${String(thrown)}`
}
