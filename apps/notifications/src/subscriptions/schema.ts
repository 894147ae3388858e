/** What the subscriptions API takes and gives: schema and type are one thing. */
import { type Static, Type } from '@fastify/type-provider-typebox'

const Text = (max: number, options: object = {}) =>
  Type.String({ minLength: 1, maxLength: max, ...options })
const Time = (description?: string) =>
  Type.String({
    format: 'date-time',
    ...(description === undefined ? {} : { description }),
    examples: ['2026-11-22T10:00:00.000Z'],
  })
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, options = {}) =>
  Type.Union([schema, Type.Null()], options)

const Extensions = Type.Object(
  {},
  {
    additionalProperties: true,
    description: "Merged into each event's `extensions` before it is sent.",
    examples: [{ site: 'pnnl' }],
  },
)

const Basic = Type.Object(
  {
    username: Type.String({ examples: ['pacifica'] }),
    password: Type.String({ examples: ['********'] }),
  },
  { additionalProperties: false },
)
const Header = Type.Object(
  {
    type: Type.String({ examples: ['Bearer'] }),
    credentials: Type.String({ examples: ['********'] }),
  },
  { additionalProperties: false },
)

const AUTH =
  'How deliveries prove who they are: nothing, HTTP Basic, or an Authorization header of any scheme. ' +
  'Secrets are shown as `********`; sent back so, they stay what they are.'

export const Auth = Type.Union(
  [
    Type.Object({}, { additionalProperties: false }),
    Type.Object({ type: Type.Literal('basic'), basic: Basic }, { additionalProperties: false }),
    Type.Object({ type: Type.Literal('header'), header: Header }, { additionalProperties: false }),
  ],
  {
    description: AUTH,
    examples: [
      {},
      { type: 'basic', basic: { username: 'pacifica', password: '********' } },
      { type: 'header', header: { type: 'Bearer', credentials: '********' } },
    ],
  },
)

const RETRY = 'Overrides the retry schedule of the site.'

export const Retry = Type.Object(
  {
    max_attempts: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 50, description: 'Requests in all.', examples: [5] }),
    ),
    delays: Type.Optional(
      Type.Array(Type.Number({ minimum: 1, maximum: 604_800 }), {
        minItems: 1,
        maxItems: 50,
        description: 'The waits between them in seconds, each ± 10 %; the last one repeats.',
        examples: [[10, 60, 3600]],
      }),
    ),
  },
  { additionalProperties: false, description: RETRY },
)
export type RetryOverride = Static<typeof Retry>

const DISABLED =
  'Null: events are delivered. A time, whichever: they are held until it is null again; set by the service when ' +
  'deliveries have only failed for long, with `error` saying so.'

const writable = {
  name: Text(255, { description: 'For people.', examples: ['text files of project 1234'] }),
  jsonpath: Text(8192, {
    description: 'An event that this selects anything from is delivered.',
    examples: ['$[?(@.eventType = "org.pacifica.metadata.ingest")]'],
  }),
  target_url: Text(8192, {
    description: 'An http or https URL, or `dispatch://name` for the dispatcher of that name.',
    examples: ['dispatch://example', 'https://hooks.example.org/pacifica'],
  }),
  version: Type.Union([Type.Literal('v0.1'), Type.Literal('v1.0')], {
    description: 'The CloudEvents version in which events are matched and sent. Default: v0.1.',
  }),
  extensions: Extensions,
  auth: Auth,
  dialect: Type.Union([Type.Literal('jsonpath2'), Type.Literal('rfc9535')], {
    description:
      'The language of `jsonpath`: that of the Python service (default), or the standard, RFC 9535.',
    examples: ['jsonpath2', 'rfc9535'],
  }),
  disabled: OrNull(Time(), { description: DISABLED }),
  max_concurrency: OrNull(Type.Integer({ minimum: 1, maximum: 64 }), {
    description: 'Requests to the target at once. Null: what the site allows.',
  }),
  retry: OrNull(Retry, { description: `${RETRY} Null: none.` }),
}

/** Accepted so that an object may be sent back just as it came; the server alone says what they are. */
const ignored = Object.fromEntries(
  ['error', 'created', 'updated', 'deleted', 'indexed', 'signing', 'warnings', 'health'].map(
    (name) => [name, Type.Optional(Type.Unknown({ description: 'Ignored.' }))],
  ),
)

const identity = {
  uuid: Type.Optional(
    Text(64, { description: 'Of your own choosing, if it is free; later it cannot be changed.' }),
  ),
  user: Type.Optional(Text(255, { description: 'Whoever asks; it cannot be changed.' })),
}

export const NewSubscription = Type.Object(
  {
    ...Type.Partial(Type.Object(writable)).properties,
    name: writable.name,
    jsonpath: writable.jsonpath,
    target_url: writable.target_url,
    ...identity,
    ...ignored,
  },
  {
    additionalProperties: false,
    examples: [
      { name: 'everything', jsonpath: 'data', target_url: 'http://hooks.example.org/pacifica' },
    ],
  },
)
export type NewSubscription = Static<typeof NewSubscription>

export const SubscriptionChanges = Type.Object(
  { ...Type.Partial(Type.Object(writable)).properties, ...identity, ...ignored },
  { additionalProperties: false, examples: [{ disabled: null }] },
)
export type SubscriptionChanges = Static<typeof SubscriptionChanges>

const Health = Type.Object({
  last_success: OrNull(Time()),
  failing_since: OrNull(Time('The first failure since the last success.')),
  disables_at: OrNull(
    Time('If nothing succeeds until then, the next delivery given up disables the subscription.'),
  ),
})

/** The Python service's keys in its order, then ours. */
export const SubscriptionReply = Type.Object({
  uuid: Type.String({ format: 'uuid' }),
  name: writable.name,
  jsonpath: writable.jsonpath,
  user: Type.String({ examples: ['dmlb2001'] }),
  disabled: writable.disabled,
  error: OrNull(Type.String(), { description: 'Why the service disabled it.' }),
  target_url: writable.target_url,
  // A text, not one of two: an old row may hold any, and its owner must see it.
  version: Type.String({ examples: ['v0.1', 'v1.0'] }),
  extensions: Extensions,
  auth: Type.Object({}, { additionalProperties: true, description: AUTH }),
  created: Time(),
  updated: Time(),
  deleted: OrNull(Time()),
  dialect: Type.String({ examples: ['jsonpath2', 'rfc9535'] }),
  indexed: Type.Boolean({
    description:
      'Whether events find the subscription by an index. False: its expression is evaluated on every event.',
  }),
  max_concurrency: writable.max_concurrency,
  retry: writable.retry,
  signing: Type.Boolean({ description: 'Whether deliveries are signed: see the secret.' }),
  warnings: Type.Array(Type.String(), {
    description: 'What in the expression often means something else.',
  }),
  health: Health,
})

const Created = { created: Time() }

export const SecretReply = Type.Object({
  secret: Type.String({
    description: 'Signs each delivery, by Standard Webhooks.',
    examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAAAAAA='],
  }),
  ...Created,
  previous: Type.Array(Type.Object({ ...Created, until: Time() }), {
    description: 'Secrets that were rotated out and go on signing beside this one until then.',
  }),
})
