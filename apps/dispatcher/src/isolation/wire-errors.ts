/**
 * Errors that cross from the supervisor to a handler, and back again. Those of core keep their class, so that a handler
 * may go by it; of others the name, the code and what else they carry is kept. Pure.
 */
import * as core from '@pacifica/core'

export interface WireError {
  /** Of its class. */
  readonly type: string
  readonly message: string
  readonly stack: string | undefined
  /** Its own members: name, code, status, files and the like. */
  readonly members: Readonly<Record<string, unknown>>
  readonly cause: WireError | undefined
}

const MOST_CAUSES = 5

export function toWire(thrown: unknown, depth = 0): WireError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { cause } = error
  return {
    type: error.constructor?.name ?? 'Error',
    message: error.message,
    stack: error.stack,
    members: membersOf(error),
    cause: cause === undefined || depth >= MOST_CAUSES ? undefined : toWire(cause, depth + 1),
  }
}

export function fromWire({ type, message, stack, members, cause }: WireError): Error {
  const error = new Error(message, cause === undefined ? {} : { cause: fromWire(cause) })
  const known: unknown = Reflect.get(core, type)
  if (isErrorClass(known)) Object.setPrototypeOf(error, known.prototype)
  else if (type !== 'Error') define(error, 'name', type)
  if (stack !== undefined) define(error, 'stack', stack)
  for (const [name, value] of Object.entries(members)) define(error, name, value)
  return error
}

function membersOf(error: Error): Record<string, unknown> {
  const entries = Object.entries(error).filter(
    ([name, value]) => name !== 'cause' && canPass(value),
  )
  return Object.fromEntries(entries)
}

function canPass(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

function isErrorClass(value: unknown): value is typeof Error {
  return typeof value === 'function' && value.prototype instanceof Error
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true })
}
