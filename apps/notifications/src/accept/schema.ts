/** POST /receive as the API's description tells it. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply } from '@pacifica/platform'

const text = Type.String({ minLength: 1 })

const eventV01 = Type.Object(
  {
    cloudEventsVersion: Type.String({ minLength: 1, description: 'for example "0.1"' }),
    eventType: text,
    source: text,
    eventID: text,
    eventTime: Type.Optional(Type.String({ description: 'kept as it is written' })),
    extensions: Type.Optional(Type.Object({}, { additionalProperties: true })),
    contentType: Type.Optional(Type.String()),
    data: Type.Optional(Type.Unknown({ description: 'what Metadata sends is a list of objects' })),
  },
  {
    title: 'CloudEvent 0.1',
    additionalProperties: true,
    examples: [
      {
        cloudEventsVersion: '0.1',
        eventType: 'org.pacifica.metadata.ingest',
        source: 'http://metadata.pacifica.org/transactions?_id=67',
        eventID: 'metadata.ingest.67',
        eventTime: '2019-01-09T09:17:26',
        extensions: {},
        contentType: 'application/json',
        data: [{ destinationTable: 'Transactions._id', value: 67 }],
      },
    ],
  },
)

const eventV10 = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    type: text,
    source: text,
    id: text,
    time: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    datacontenttype: Type.Optional(Type.String()),
    dataschema: Type.Optional(Type.String()),
    data: Type.Optional(Type.Unknown()),
    data_base64: Type.Optional(Type.String()),
  },
  {
    title: 'CloudEvent 1.0',
    additionalProperties: true,
    examples: [{ specversion: '1.0', type: 't', source: '/s', id: '1', data: { n: 1 } }],
  },
)

const event = Type.Union([eventV01, eventV10])

const refusal = (description: string) => ({ ...errorReply, description })

export const receiveSchema = {
  tags: ['events'],
  summary: 'Accept an event',
  description:
    'A CloudEvent 0.1 or 1.0: structured JSON, binary (`ce-…` headers, the body is the data), or a batch. Answered ' +
    'once it is durable: in the database or, while that is away, in the spool on disk. The same event (source, id and ' +
    'bytes) again is answered with the first id and delivered once. The same source and id with another body is a ' +
    'new event. Without a Content-Type the body is taken as JSON.',
  headers: Type.Object({
    'ce-specversion': Type.Optional(Type.String({ description: 'binary mode: `1.0`' })),
    'ce-type': Type.Optional(Type.String({ description: 'binary mode' })),
    'ce-source': Type.Optional(Type.String({ description: 'binary mode' })),
    'ce-id': Type.Optional(Type.String({ description: 'binary mode; further attributes alike' })),
  }),
  body: {
    content: {
      'application/json': { schema: event },
      'application/cloudevents+json': { schema: event },
      'application/cloudevents-batch+json': { schema: Type.Array(event) },
    },
  },
  response: {
    200: {
      description: 'Durable. The id of the event, bare; for a batch one id a line.',
      content: {
        'text/plain': {
          schema: Type.String({ examples: ['2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11'] }),
        },
      },
    },
    400: refusal('No CloudEvent: the message says what is wrong'),
    401: refusal('RECEIVE_AUTH is set, and the request shows no credential that is known'),
    413: refusal('Larger than MAX_BODY'),
    415: refusal('A media type, charset or Content-Encoding that is not accepted'),
    503: refusal('The database is away, and the spool is full or cannot be written: Retry-After'),
  },
}
