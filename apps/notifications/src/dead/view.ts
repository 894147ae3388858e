/** Dead letters as the API shows them: schema and the shaping into it. */
import { isUtf8 } from 'node:buffer'
import { type Static, Type } from '@fastify/type-provider-typebox'
import { iso, OneOf, OrNull, Time, Uuid } from '../history/delivery-view.ts'
import { headersToText } from './headers-text.ts'
import { LETTER_STATES, type Letter, type OpenedLetter } from './letter.ts'

export const LetterStateName = OneOf(
  LETTER_STATES,
  'dead: nobody has decided yet; resent: it went back to its queue; dismissed: somebody put it away.',
)

const about = {
  uuid: Uuid,
  queue: OrNull(
    Type.String({
      description: 'The queue that it died in; null when the message does not say.',
      examples: ['pacifica.receive', 'pacifica.dispatch.example'],
    }),
  ),
  reason: OrNull(
    Type.String({
      description: "The broker's word for it.",
      examples: ['rejected', 'delivery_limit', 'expired', 'maxlen'],
    }),
  ),
  why: Type.String({
    description: 'The same for people.',
    examples: ['it holds no event: "type" is missing; a non-empty string is required'],
  }),
  deaths: Type.Integer({ description: 'How often it died there for that reason.' }),
  first_death: OrNull(Time),
  last_death: OrNull(Time),
  exchange: Type.String({
    description: 'Where it was published to; empty: straight to the queue.',
  }),
  routing_key: Type.String(),
  message_id: OrNull(
    Type.String({ description: 'Of the message. A dispatch has the id of its delivery here.' }),
  ),
  content_type: OrNull(Type.String()),
  bytes: Type.Integer({ description: 'The length of the body.' }),
  state: LetterStateName,
  taken: Type.String({
    format: 'date-time',
    description: 'When it was taken from the queue pacifica.dead.',
    examples: ['2026-11-22T08:15:30.123Z'],
  }),
  error: OrNull(Type.String({ description: 'Why it could not be sent again, the last time.' })),
  settled: OrNull(Time),
  settled_by: OrNull(Type.String({ description: 'Who sent it again or put it away.' })),
}

export const LetterReply = Type.Object(about)

export const OpenedLetterReply = Type.Object({
  ...about,
  properties: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
    description: 'Of AMQP, by the names that amqplib has for them.',
    examples: [{ contentType: 'application/json', deliveryMode: 2 }],
  }),
  headers: Type.Record(Type.String(), Type.Unknown(), {
    description: 'Times and bytes as `{"!": "timestamp" or "bytes", "value": …}`.',
    examples: [{ 'pacifica-replay': 0 }],
  }),
  body: OrNull(Type.String({ description: 'The body, or its beginning; null if it is no text.' })),
  body_base64: OrNull(Type.String({ description: 'The same of a body that is no text.' })),
  body_truncated: Type.Boolean({ description: 'The body is longer than what is shown.' }),
})

/** So much of a body is shown. */
export const MOST_BODY = 65_536

export function letterView(letter: Letter): Static<typeof LetterReply> {
  const { messageId, contentType } = letter.properties
  return {
    ...{ uuid: letter.uuid, queue: letter.queue, reason: letter.reason, why: letter.why },
    deaths: letter.deaths,
    first_death: iso(letter.firstDeath),
    last_death: iso(letter.lastDeath),
    exchange: letter.exchange,
    routing_key: letter.routingKey,
    message_id: messageId === undefined ? null : String(messageId),
    content_type: contentType === undefined ? null : String(contentType),
    bytes: letter.bytes,
    state: letter.state,
    taken: letter.created.toISOString(),
    error: letter.error,
    settled: iso(letter.settled),
    settled_by: letter.settledBy,
  }
}

export function openedLetterView(letter: OpenedLetter): Static<typeof OpenedLetterReply> {
  const body_truncated = letter.bytes > letter.body.byteLength
  const text = textOf(letter.body, body_truncated)
  return {
    ...letterView(letter),
    properties: { ...letter.properties },
    headers: JSON.parse(headersToText(letter.headers)),
    body: text ?? null,
    body_base64: text === undefined ? Buffer.from(letter.body).toString('base64') : null,
    body_truncated,
  }
}

/** Undefined when it is no UTF-8. What was cut off may have been cut within a character. */
function textOf(bytes: Uint8Array, isCut: boolean): string | undefined {
  const most = isCut ? 3 : 0
  for (let less = 0; less <= Math.min(most, bytes.byteLength); less += 1) {
    const whole = bytes.subarray(0, bytes.byteLength - less)
    if (isUtf8(whole)) return Buffer.from(whole).toString('utf8')
  }
  return undefined
}
