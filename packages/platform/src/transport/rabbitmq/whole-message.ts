/** Messages kept whole: read from the broker with all that they carry, and made ready to be sent once more. */
import { createHash } from 'node:crypto'
import type { Message, Options } from 'amqplib'
import type { BrokerMessage, DeadMessage, Death } from '../intake.ts'

/** Names of headers of ours, and of the broker's, that say what happened to a message; they are not part of it. */
const RESENT = 'pacifica-resent'
const OF_THE_BROKER = /^x-(death$|first-death-|last-death-|delivery-count$|acquired-count$|opt-)/
/** Would have the broker send copies elsewhere. */
const COPIES = new Set(['CC', 'BCC'])

export function wholeMessage(message: Message): BrokerMessage {
  const { headers, ...rest } = message.properties
  const set = Object.entries(rest).filter(
    (property): property is [string, string | number] => property[1] !== undefined,
  )
  return {
    body: message.content,
    properties: Object.fromEntries(set),
    headers: headers ?? {},
    exchange: message.fields.exchange,
    routingKey: message.fields.routingKey,
  }
}

/** With what it was before it died: the broker has published it anew, under another exchange and key. */
export function deadMessage(message: Message): DeadMessage {
  const whole = wholeMessage(message)
  const [entry, ...earlier] = deathsOf(whole.headers)
  const { exchange = whole.exchange, 'routing-keys': keys } = entry ?? {}
  const routingKey = Array.isArray(keys) ? keys[0] : undefined
  const origin = {
    exchange: String(exchange),
    routingKey: routingKey === undefined ? whole.routingKey : String(routingKey),
  }
  const death = entry === undefined ? undefined : deathOf(entry, earlier.at(-1) ?? entry)
  return { ...whole, ...origin, death, key: keyOf(whole) }
}

interface DeathEntry {
  readonly queue: string
  readonly reason: unknown
  readonly count: unknown
  readonly time: unknown
  readonly exchange?: unknown
  readonly 'routing-keys'?: unknown
}

/** One for each queue that it died in, the latest first. What is no such entry was put there by somebody else. */
function deathsOf({ 'x-death': deaths }: Readonly<Record<string, unknown>>): DeathEntry[] {
  return (Array.isArray(deaths) ? deaths : []).filter((entry): entry is DeathEntry => {
    const { queue } = (entry ?? {}) as Partial<DeathEntry>
    return typeof queue === 'string' && queue !== '' && Buffer.byteLength(queue) <= 255
  })
}

function deathOf({ queue, reason, count, time }: DeathEntry, earliest: DeathEntry): Death {
  return {
    queue,
    reason: typeof reason === 'string' ? reason : 'unknown',
    count: typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1,
    first: timeOf(earliest.time),
    last: timeOf(time),
  }
}

function timeOf(value: unknown): Date | undefined {
  const { '!': type, value: seconds } = (value ?? {}) as { '!'?: unknown; value?: unknown }
  if (type !== 'timestamp' || typeof seconds !== 'number') return undefined
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() > 9_999 ? undefined : time
}

/** Over all that the message is, but for how often it was offered here. */
function keyOf({ body, properties, headers, exchange, routingKey }: BrokerMessage): string {
  const steady = Object.entries(headers).filter(([name]) => name !== 'x-delivery-count')
  const about = JSON.stringify([exchange, routingKey, properties, steady])
  return createHash('sha256').update(about).update('\n').update(body).digest('hex')
}

/** As it was published at first, persistent, and without what only its publisher could say of itself. */
export function sentOnceMore(
  message: BrokerMessage,
  letter: string,
): { content: Buffer; properties: Options.Publish } {
  const kept = Object.entries(message.headers).filter(
    ([name]) => !OF_THE_BROKER.test(name) && !COPIES.has(name),
  )
  const { userId: _, deliveryMode: __, expiration: ___, ...properties } = message.properties
  const { body } = message
  return {
    content: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    properties: {
      ...(properties as Options.Publish),
      headers: { ...Object.fromEntries(kept), [RESENT]: letter },
      persistent: true,
      mandatory: true,
    },
  }
}
