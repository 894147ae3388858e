/** What the subscriptions API takes and gives: schema and type are one thing. */
import { type Static, Type } from '@fastify/type-provider-typebox'

const Text = (max: number) => Type.String({ minLength: 1, maxLength: max })
const Time = Type.String({ format: 'date-time' })
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const Extensions = Type.Object(
  {},
  {
    additionalProperties: true,
    description: "Merged into each event's `extensions` before it is sent.",
    examples: [{ site: 'pnnl' }],
  },
)

const Basic = Type.Object(
  { username: Type.String(), password: Type.String() },
  { additionalProperties: false },
)
const Header = Type.Object(
  { type: Type.String(), credentials: Type.String() },
  { additionalProperties: false },
)

/** How deliveries prove who they are: nothing, HTTP Basic, or an Authorization header of any scheme. */
export const Auth = Type.Union(
  [
    Type.Object({}, { additionalProperties: false }),
    Type.Object({ type: Type.Literal('basic'), basic: Basic }, { additionalProperties: false }),
    Type.Object({ type: Type.Literal('header'), header: Header }, { additionalProperties: false }),
  ],
  { description: 'How deliveries prove who they are. Secrets are shown masked.' },
)

export const Retry = Type.Object(
  {
    max_attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
    delays: Type.Optional(
      Type.Array(Type.Number({ minimum: 0, maximum: 604_800 }), { minItems: 1, maxItems: 50 }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'Overrides the retry schedule: requests in all, and the waits between them in seconds.',
  },
)
export type RetryOverride = Static<typeof Retry>

const writable = {
  name: Type.String({ minLength: 1, maxLength: 255, examples: ['text files of project 1234'] }),
  jsonpath: Type.String({
    minLength: 1,
    maxLength: 8192,
    description: 'Selects at least one value from the events that the subscription wants.',
    examples: ['$[?(@.eventType = "org.pacifica.metadata.ingest")]'],
  }),
  target_url: Type.String({
    minLength: 1,
    maxLength: 8192,
    description: 'An http or https URL, or `dispatch://name` for the dispatcher of that name.',
    examples: ['dispatch://example', 'https://hooks.example.org/pacifica'],
  }),
  version: Type.Union([Type.Literal('v0.1'), Type.Literal('v1.0')], {
    description: 'The CloudEvents version in which the event is matched and sent.',
  }),
  extensions: Extensions,
  auth: Auth,
  dialect: Type.Literal('jsonpath2', { description: 'The language of `jsonpath`.' }),
  disabled: OrNull(Time),
  max_concurrency: OrNull(Type.Integer({ minimum: 1, maximum: 64 })),
  retry: OrNull(Retry),
}

/** Accepted so that an object may be sent back just as it came; the server alone says what they are. */
const ignored = {
  error: Type.Optional(Type.Unknown()),
  created: Type.Optional(Type.Unknown()),
  updated: Type.Optional(Type.Unknown()),
  deleted: Type.Optional(Type.Unknown()),
  warnings: Type.Optional(Type.Unknown()),
  health: Type.Optional(Type.Unknown()),
  indexed: Type.Optional(Type.Unknown()),
  signing: Type.Optional(Type.Unknown()),
}

const identity = { uuid: Type.Optional(Text(64)), user: Type.Optional(Text(255)) }

export const NewSubscription = Type.Object(
  {
    ...Type.Partial(Type.Object(writable)).properties,
    name: writable.name,
    jsonpath: writable.jsonpath,
    target_url: writable.target_url,
    ...identity,
    ...ignored,
  },
  { additionalProperties: false },
)
export type NewSubscription = Static<typeof NewSubscription>

export const SubscriptionChanges = Type.Object(
  { ...Type.Partial(Type.Object(writable)).properties, ...identity, ...ignored },
  { additionalProperties: false },
)
export type SubscriptionChanges = Static<typeof SubscriptionChanges>

export const SubscriptionReply = Type.Object({
  uuid: Type.String({ format: 'uuid' }),
  name: Type.String(),
  jsonpath: Type.String(),
  user: Type.String(),
  disabled: OrNull(Time),
  error: OrNull(Type.String()),
  target_url: Type.String(),
  version: writable.version,
  extensions: Extensions,
  auth: Type.Object({}, { additionalProperties: true }),
  created: Time,
  updated: Time,
  deleted: OrNull(Time),
  dialect: writable.dialect,
  max_concurrency: OrNull(Type.Integer()),
  retry: OrNull(Retry),
  warnings: Type.Array(Type.String(), {
    description: 'What in the expression often means something else.',
  }),
  health: Type.Object({
    last_success: OrNull(Time),
    failing_since: OrNull(Time),
    disables_at: OrNull(Time),
  }),
})
