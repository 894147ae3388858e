/** Which broker URLs are taken, and what to do about the others. No message holds the user or the password. */

export class BrokerUrlError extends Error {
  readonly code = 'BROKER_URL'
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

/** `pyamqp` is what the Python services' configurations hold: Celery's name for amqp. */
const AMQP = /^(?:py)?amqp(s?):\/\//i
const WHAT_TO_DO = 'Use amqp://user:password@host:5672/vhost, or amqps:// for TLS'

/**
 * What the URL leaves out is RabbitMQ's default: localhost, 5672 (5671 with TLS), guest, guest, `/`. As for Celery, a
 * lone slash after the host is the virtual host `/` too.
 * @param variable what the URL stands in, for the errors
 */
export function readBrokerUrl(url: string, variable = 'BROKER_URL'): BrokerAddress {
  const fail = (problem: string) => new BrokerUrlError(`${variable} ${problem}. ${WHAT_TO_DO}.`)
  const scheme = AMQP.exec(url)
  if (scheme === null) throw fail(wrongScheme(url))
  const parts = `broker://${url.slice(scheme[0].length)}`
  // The original error would show the whole text.
  if (!URL.canParse(parts))
    throw fail('cannot be read: write characters such as / # @ : % in the password as %2F %23 …')
  const { hostname: host, port, username, password, pathname, searchParams, hash } = new URL(parts)
  if (hash !== '') throw fail('has a # in it: write it as %23')
  const hostname = host.replace(/^\[|\]$/g, '') || 'localhost'
  const protocol = scheme[1] === '' ? 'amqp' : 'amqps'
  try {
    const anonymous = username === '' && password === ''
    const vhost = decodeURIComponent(pathname.slice(1)) || '/'
    const address = {
      ...{ protocol, hostname, vhost, heartbeat: readHeartbeat(searchParams) } as const,
      port: port === '' ? defaultPort(protocol) : Number(port),
      username: anonymous ? 'guest' : decodeURIComponent(username),
      password: anonymous ? 'guest' : decodeURIComponent(password),
    }
    const place = `${hostname}:${address.port}${vhost === '/' ? '' : `/${vhost}`}`
    return { ...address, place }
  } catch (error) {
    if (error instanceof URIError) throw fail('has a % that begins no escape: write it as %25')
    throw error instanceof ParameterError ? fail(error.message) : error
  }
}

class ParameterError extends Error {}

function defaultPort(protocol: 'amqp' | 'amqps'): number {
  return protocol === 'amqp' ? 5672 : 5671
}

function readHeartbeat(parameters: URLSearchParams): number | undefined {
  const unknown = [...parameters.keys()].find((name) => name !== 'heartbeat')
  if (unknown !== undefined) throw new ParameterError(`has a parameter '${unknown}': only heartbeat is known`)
  const given = parameters.get('heartbeat')
  if (given === null) return undefined
  if (!/^\d{1,5}$/.test(given) || Number(given) < 1)
    throw new ParameterError('has a heartbeat that is no number of seconds from 1 to 99999')
  return Number(given)
}

function wrongScheme(url: string): string {
  if (/[;,]/.test(url) && /amqps?:\/\//i.test(url)) return 'names several brokers: give one'
  const scheme = /^[\w+.-]{1,30}(?=:)/.exec(url)?.[0]
  return scheme === undefined
    ? 'is no URL'
    : `begins with '${scheme}:', but only RabbitMQ will do`
}
