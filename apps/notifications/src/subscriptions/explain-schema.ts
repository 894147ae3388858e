/** What POST /eventmatch/explain takes and gives. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { OrNull, Uuid } from '../history/delivery-view.ts'
import { SubscriptionChanges } from './schema.ts'

const { dialect, version } = SubscriptionChanges.properties

export const ExplainBody = Type.Object(
  {
    event: Type.Union(
      [Type.String({ maxLength: 64 }), Type.Object({}, { additionalProperties: true })],
      {
        description: 'A CloudEvent, or the uuid of one that was accepted here.',
      },
    ),
    subscription: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'The uuid of a subscription: its expression, dialect and version are used.',
      }),
    ),
    jsonpath: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 8192,
        description: "An expression; in place of the subscription's, if both are given.",
      }),
    ),
    dialect,
    version,
    policy: Type.Optional(
      Type.Boolean({ description: 'Ask Policy now, whatever it has said before.' }),
    ),
  },
  {
    additionalProperties: false,
    examples: [
      {
        event: '2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11',
        jsonpath: '$[?(@.eventType = "org.pacifica.metadata.ingest")]',
      },
    ],
  },
)
export type ExplainBody = Static<typeof ExplainBody>

const Found = Type.Object(
  {
    kind: Type.String({ examples: ['object', 'list', 'text', 'number', 'boolean', 'null'] }),
    members: Type.Optional(Type.Integer()),
    keys: Type.Optional(Type.Array(Type.String(), { description: 'The first 20.' })),
    items: Type.Optional(Type.Integer()),
    value: Type.Optional(Type.Unknown()),
  },
  { description: 'A value, told in short.' },
)

const Clause = Type.Object(
  {
    clause: Type.String({ examples: ['@["value"] = 67'] }),
    offset: Type.Integer({ description: 'Where it begins in the expression as given.' }),
    message: Type.String(),
    reached: Type.String({
      description: 'What had been reached before it.',
      examples: ['$["data"][*]'],
    }),
    count: Type.Integer({ description: 'How many values stood there.' }),
    found: Type.Array(Found, { description: 'The first 5 of them.' }),
    operands: Type.Array(
      Type.Object({ path: Type.String(), count: Type.Integer(), values: Type.Array(Found) }),
      { description: 'What the paths of a comparison selected there.' },
    ),
    because: Type.Array(Type.Unknown(), {
      description:
        'Clauses of this same form: each alternative of an `or`, or where a path in a filter ended.',
    }),
  },
  { description: 'The first clause that nothing passed, and what stood there.' },
)

const PolicySaid = Type.Object(
  {
    user: Type.String({ description: 'Who Policy was asked about.' }),
    state: Type.String({ examples: ['allowed', 'denied', 'asking', 'unanswered'] }),
    status_code: OrNull(Type.Integer()),
    body: OrNull(Type.String()),
    error: OrNull(Type.String()),
    answered: OrNull(Type.String({ format: 'date-time' })),
    fresh: Type.Boolean({ description: 'Asked just now.' }),
  },
  { description: 'What Policy says; null: it has not been asked about this event and user.' },
)

export const Told = Type.Object({
  matches: OrNull(Type.Boolean({ description: 'null: it cannot be said, and `error` says why.' })),
  count: Type.Integer({ description: 'How many values the expression selects.' }),
  values: Type.Array(Type.Unknown(), { description: 'The first 1 000, up to 256 KiB.' }),
  truncated: Type.Boolean({ description: 'Values were left out.' }),
  failed: OrNull(Clause),
  error: OrNull(Type.String()),
})

export const ExplainReply = Type.Object({
  ...Told.properties,
  jsonpath: Type.String(),
  dialect: Type.String(),
  version: Type.String(),
  warnings: Type.Array(
    Type.Object({ code: Type.String(), message: Type.String(), offset: Type.Integer() }),
    { description: 'What in the expression often means something else.' },
  ),
  event: OrNull(Uuid),
  subscription: OrNull(Uuid),
  policy: OrNull(PolicySaid),
})
