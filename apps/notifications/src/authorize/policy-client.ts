/**
 * Asks Pacifica Policy whether a user may see an event. Wire: POST {policy}/events/{user}, the event as received.
 */
import { Agent, request } from 'undici'

export type PolicyAnswer =
  | { readonly kind: 'allowed'; readonly status: number; readonly body: string }
  | { readonly kind: 'denied'; readonly status: number; readonly body: string }
  /** Policy could not be asked, or said something that is neither yes nor no: ask again. */
  | { readonly kind: 'unanswered'; readonly status: number | null; readonly reason: string }

export interface PolicyClient {
  /** Never rejects. `body` is the event's text as received, before any merge. */
  ask(user: string, body: string, signal: AbortSignal): Promise<PolicyAnswer>
  close(): Promise<void>
}

/** How much of Policy's reply is kept, in characters. */
const EXCERPT = 4096

export function httpPolicyClient(options: {
  url: URL
  timeoutMs: number
  connections: number
}): PolicyClient {
  const agent = new Agent({ connections: options.connections, headersTimeout: options.timeoutMs })
  const base = options.url.href.replace(/\/+$/, '')
  return {
    async ask(user, body, signal) {
      try {
        const response = await request(`${base}/events/${encodeURIComponent(user)}`, {
          dispatcher: agent,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
        })
        return answer(response.statusCode, (await response.body.text()).slice(0, EXCERPT))
      } catch (error) {
        return {
          kind: 'unanswered',
          status: null,
          reason: `policy could not be asked: ${message(error)}`,
        }
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

function message(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time'
  return error instanceof Error ? error.message : String(error)
}
