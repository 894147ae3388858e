/** Which broker URLs are taken, and what to do about the others. No message holds the user or the password. */

import type { Kind } from '../../config/kinds.ts'

export class BrokerUrlError extends Error {
  readonly code = 'BROKER_URL'
  constructor(problem: string) {
    // An example with a password in it would be masked in the log.
    super(
      `${problem}: use amqp://HOST:5672/VHOST, with USER:PASSWORD@ before HOST; amqps:// for TLS`,
    )
  }
}

export interface BrokerAddress {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly vhost: string
  /** Seconds; undefined when the URL does not say. */
  readonly heartbeat: number | undefined
  /** For people: host, port and virtual host, without user and password. */
  readonly place: string
}

/** Celery's names for it are taken too: the Python services' configurations hold `pyamqp://`. */
const AMQP = /^(?:amqp|pyamqp|py-amqp|librabbitmq)(s?):\/\//i
const DEFAULT_PORT = { amqp: 5672, amqps: 5671 } as const

/**
 * What the URL leaves out is RabbitMQ's default: localhost, 5672 (5671 with TLS), guest, guest, `/`. As for Celery, a
 * lone slash after the host, or two, are the virtual host `/` too.
 */
export function readBrokerUrl(url: string): BrokerAddress {
  const scheme = AMQP.exec(url)
  if (scheme === null) throw new BrokerUrlError(wrongScheme(url))
  const protocol = scheme[1] === '' ? 'amqp' : 'amqps'
  const parts = split(url.slice(scheme[0].length))
  const hostname = parts.hostname.replace(/^\[|\]$/g, '') || 'localhost'
  const port = parts.port === '' ? DEFAULT_PORT[protocol] : Number(parts.port)
  const vhost = decoded(parts.pathname.slice(1)) || '/'
  const place = `${parts.hostname || 'localhost'}:${port}${vhost === '/' ? '' : `/${vhost}`}`
  const heartbeat = readHeartbeat(parts.searchParams)
  return { protocol, hostname, port, ...readUser(parts), vhost, heartbeat, place }
}

/** For the configuration: whatever `readBrokerUrl` takes. */
export const brokerUrlKind: Kind<string> = {
  expects: 'amqp://user:password@host:5672/vhost',
  parse(url) {
    try {
      readBrokerUrl(url)
      return { value: url }
    } catch (error) {
      if (error instanceof BrokerUrlError) return { wrong: undefined, advice: error.message }
      throw error
    }
  },
}

function split(rest: string): URL {
  const text = `broker://${rest}`
  // The original error would show the whole text.
  if (!URL.canParse(text))
    throw new BrokerUrlError(
      'cannot be read (in a password write / # @ : % as %2F %23 %40 %3A %25)',
    )
  const parts = new URL(text)
  if (parts.hash !== '') throw new BrokerUrlError('has a # in it, to be written %23')
  if (parts.pathname.includes('@'))
    throw new BrokerUrlError(
      'has an @ after its host (in a password write / as %2F, in a vhost @ as %40)',
    )
  return parts
}

function readUser({ username, password }: URL): { username: string; password: string } {
  return { username: decoded(username) || 'guest', password: decoded(password) || 'guest' }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new BrokerUrlError('has a % that begins no escape, to be written %25')
  }
}

function readHeartbeat(parameters: URLSearchParams): number | undefined {
  const unknown = [...parameters.keys()].find((name) => name !== 'heartbeat')
  if (unknown !== undefined)
    throw new BrokerUrlError('has a parameter after the ? that is not heartbeat, the only one')
  const given = parameters.get('heartbeat')
  if (given === null) return undefined
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given)
  throw new BrokerUrlError('has a heartbeat that is no number of seconds from 1 to 9999')
}

function wrongScheme(url: string): string {
  const scheme = /^[\w+.-]{1,30}(?=:\/)/.exec(url)?.[0]
  if (scheme === undefined) return 'is no URL'
  return `begins with ${scheme}: but only RabbitMQ will do`
}
