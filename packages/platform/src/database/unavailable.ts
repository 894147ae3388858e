/** Tells "the database is away: wait, spool, answer 503" from "this statement or row is bad". */

const SOCKET = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])
/**
 * Connection lost or ended by the server (25P03: it was idle in a transaction), resources used up (disk, memory,
 * connections), shutdown or start, read-only after a failover.
 */
const SQLSTATE = /^(08...|53...|57P0.|58030|25006|25P03)$/
/** Prisma: unreachable, timed out, closed, no connection free, too many connections. */
const PRISMA_CODE = /^(P1001|P1002|P1008|P1017|P2024|P2037)$/
const PRISMA_KIND = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
])
/** What `pg` and PGlite say without a code. */
const WORDS =
  /connection terminated|timeout exceeded when trying to connect|timeout expired|query read timeout|not queryable|after calling end on the pool|pglite is clos/i
const MAX_DEPTH = 5

/** True when the same statement may well succeed later, unchanged: the database is away, starting or full. */
export function isUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false
  if (saysSo(error)) return true
  const { cause, meta, driverAdapterError } = error as Record<string, unknown>
  return [cause, meta, driverAdapterError].some((inner) => isUnavailable(inner, depth + 1))
}

/** The SQLSTATE of a statement's error, also through Prisma; undefined when PostgreSQL did not answer. */
export function sqlState(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return undefined
  const { code, originalCode, cause, meta, driverAdapterError } = error as Record<string, unknown>
  for (const state of [originalCode, code]) {
    if (typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) && !isForeign(state)) return state
  }
  for (const inner of [cause, meta, driverAdapterError]) {
    const state = sqlState(inner, depth + 1)
    if (state) return state
  }
  return undefined
}

/** `EPIPE` and Prisma's `P2002` have five characters too. */
function isForeign(state: string): boolean {
  return SOCKET.has(state) || /^P[1-6]\d{3}$/.test(state)
}

function saysSo(error: object): boolean {
  const { code, originalCode, syscall, kind, message } = error as Record<string, unknown>
  if (code === 'ENOENT' && syscall === 'connect') return true // no socket of a server there
  const codes = [code, originalCode].filter((it) => typeof it === 'string')
  if (codes.some((it) => SOCKET.has(it) || SQLSTATE.test(it) || PRISMA_CODE.test(it))) return true
  if (PRISMA_KIND.has(kind as string)) return true
  return codes.length === 0 && typeof message === 'string' && WORDS.test(message)
}
