/**
 * Asks Pacifica Policy whether a user may see an event. Wire: POST {policy}/events/{user}, the event as received.
 */
import { Agent, type Dispatcher } from 'undici'
import { beginningOf } from './beginning-of.ts'

export type PolicyAnswer =
  | { readonly kind: 'allowed'; readonly status: number; readonly body: string }
  | { readonly kind: 'denied'; readonly status: number; readonly body: string }
  /** Policy could not be asked, or said something that is neither yes nor no: ask again. */
  | {
      readonly kind: 'unanswered'
      readonly status: number | null
      readonly reason: string
      /** It may come yet: the time was over. */
      readonly late?: true
    }

export interface PolicyClient {
  /**
   * Never rejects. `body` is the event's text as received, before any merge.
   * @param withinMs for who has less time than the client's own `timeoutMs`
   */
  ask(user: string, body: string, signal: AbortSignal, withinMs?: number): Promise<PolicyAnswer>
  close(): Promise<void>
}

/** How much of Policy's reply is read, in bytes. */
const EXCERPT = 4096

export function httpPolicyClient(options: {
  url: URL
  /** For everything together: waiting for a free connection, connecting, headers, body. */
  timeoutMs: number
  connections: number
}): PolicyClient {
  const agent = new Agent({
    connections: options.connections,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: options.timeoutMs },
  })
  const { origin, pathname, username, password } = options.url
  const headers = { 'content-type': 'application/json', ...basic(username, password) }
  const folder = `${pathname.replace(/\/+$/, '')}/events/`
  return {
    async ask(user, body, signal, withinMs = options.timeoutMs) {
      const timeoutMs = Math.min(withinMs, options.timeoutMs)
      const limit = new AbortController()
      const end = () => limit.abort(new Error('the service is stopping'))
      const timer = setTimeout(() => limit.abort(new PolicyTimeoutError()), timeoutMs)
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
      try {
        // Origin and path apart: a URL would be normalised, and the users `.` and `..` would lead elsewhere.
        const path = folder + segment(user)
        const request: Dispatcher.RequestOptions = { origin, path, method: 'POST', headers, body }
        const response = await agent.request({ ...request, signal: limit.signal })
        return answer(response.statusCode, await beginningOf(response.body, EXCERPT))
      } catch (error) {
        const reason = `policy could not be asked: ${message(error, timeoutMs)}`
        const isLate = error instanceof PolicyTimeoutError
        return { kind: 'unanswered', status: null, reason, ...(isLate && { late: true }) }
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
      }
    },
    close: () => agent.close(),
  }
}

/** 2xx is yes; 412 (the normal no) and 403 are no; a proxy's 401, a wrong URL's 404 and all else are no answer. */
export function answer(status: number, body: string): PolicyAnswer {
  if (status >= 200 && status < 300) return { kind: 'allowed', status, body }
  if (status === 412 || status === 403) return { kind: 'denied', status, body }
  return { kind: 'unanswered', status, reason: `policy answered ${status}: ${body.slice(0, 200)}` }
}

/** For a site without Policy, on loopback: everybody may see everything. */
export function allowAll(): PolicyClient {
  return {
    ask: () => Promise.resolve({ kind: 'allowed', status: 200, body: 'allow-all' }),
    close: () => Promise.resolve(),
  }
}

class PolicyTimeoutError extends Error {
  readonly code = 'POLICY_TIMEOUT'
}

/** One segment of a path, whatever the user is called. */
function segment(user: string): string {
  return /^\.{1,2}$/.test(user) ? user.replaceAll('.', '%2E') : encodeURIComponent(user)
}

function basic(username: string, password: string): { authorization?: string } {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` }
}

function message(error: unknown, timeoutMs: number): string {
  if (error instanceof PolicyTimeoutError) return `no answer within ${timeoutMs / 1_000} s`
  if (error instanceof AggregateError) return message(error.errors[0], timeoutMs)
  return error instanceof Error ? error.message : String(error)
}
