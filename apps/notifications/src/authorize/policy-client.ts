/**
 * Asks Pacifica Policy whether a user may see an event. Wire: POST {policy}/events/{user}, the event as received.
 */
import { type EgressOutcome, exchange } from '@pacifica/platform'
import { Agent } from 'undici'

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
  const { origin, host, pathname, username, password } = options.url
  const headers = { 'content-type': 'application/json', ...basic(username, password) }
  const folder = `${pathname.replace(/\/+$/, '')}/events/`
  return {
    async ask(user, body, signal, withinMs = options.timeoutMs) {
      const timeoutMs = Math.min(withinMs, options.timeoutMs)
      const limits = { host, timeoutMs, maxResponseBytes: EXCERPT, signal }
      // Origin and path apart: a URL would be normalised, and the users `.` and `..` would lead elsewhere.
      const posted = { origin, path: folder + segment(user), headers, body }
      const outcome = await exchange(agent, posted, limits)
      if (outcome.kind === 'response') return answer(outcome.status, outcome.body)
      const isLate = outcome.kind === 'timeout'
      const reason = `policy could not be asked: ${isLate ? silence(timeoutMs) : reasonOf(outcome)}`
      return { kind: 'unanswered', status: null, reason, ...(isLate && { late: true }) }
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

/** One segment of a path, whatever the user is called. */
function segment(user: string): string {
  return /^\.{1,2}$/.test(user) ? user.replaceAll('.', '%2E') : encodeURIComponent(user)
}

function basic(username: string, password: string): { authorization?: string } {
  if (username === '' && password === '') return {}
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` }
}

const silence = (timeoutMs: number) => `no answer within ${timeoutMs / 1_000} s`

function reasonOf(outcome: Exclude<EgressOutcome, { kind: 'response' | 'timeout' }>): string {
  return outcome.kind === 'aborted' ? 'the service is stopping' : outcome.reason
}
