/** Asks a running dispatcher by its API, as the settings of this environment say it can be reached. */
import { readApiTokens, readConfig } from '@pacifica/platform'
import { dispatcherSettings } from '../config.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** The dispatcher said no, or nothing. */
export class NotAnsweredError extends Error {
  readonly code = 'CLI_NOT_ANSWERED'
}

export interface Answer {
  readonly text: string
  /** Of the Link header: where the list goes on. */
  readonly next: string | undefined
}

export type Ask = (method: 'GET' | 'POST' | 'DELETE', path: string) => Promise<Answer>

/** @param url the dispatcher's; without it, where one of this environment listens, seen from the same machine */
export function askerOf(env: Env, url: string | undefined): Ask {
  const { host, port, apiTokens } = dispatcherSettings
  const config = readConfig({ host, port, apiTokens }, { env })
  const everywhere = ['0.0.0.0', '::', ''].includes(config.host)
  const name = config.host.includes(':') ? `[${config.host}]` : config.host
  const base = url ?? `http://${everywhere ? '127.0.0.1' : name}:${config.port}`
  const headers = authorization(config.apiTokens)
  return async (method, path) => {
    const response = await send(new URL(path, base), { method, headers })
    const text = await response.text()
    if (!response.ok) {
      throw new NotAnsweredError(messageIn(text) ?? `${response.status} ${text.slice(0, 500)}`)
    }
    const next = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    return { text, next }
  }
}

/** The first of the tokens that the service itself knows. */
function authorization(apiTokens: string | undefined): Record<string, string> {
  if (apiTokens === undefined || apiTokens === 'off') return {}
  const [first] = readApiTokens(apiTokens)
  return first === undefined ? {} : { authorization: `Bearer ${first.token}` }
}

async function send(url: URL, options: RequestInit): Promise<Response> {
  try {
    return await fetch(url, options)
  } catch (error) {
    const { message, cause } = error as Error
    const why = cause instanceof Error ? `: ${cause.message}` : ''
    throw new NotAnsweredError(`${message}${why}; see --url`, { cause })
  }
}

function messageIn(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
