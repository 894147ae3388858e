/** What POST /eventmatch/backtest takes: the draft of a subscription, and a period. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { Instant } from '../history/times.ts'
import { NewSubscription, SubscriptionChanges } from '../subscriptions/schema.ts'

export const DEFAULT_SAMPLES = 10
const MOST_SAMPLES = 50
const { name, dialect, version } = SubscriptionChanges.properties

export const BacktestBody = Type.Object(
  {
    name,
    jsonpath: NewSubscription.properties.jsonpath,
    version,
    dialect,
    since: Instant('Events that were accepted at this time or later.'),
    until: Type.Optional(Instant('And before this time; now if not given, or later than now.')),
    samples: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MOST_SAMPLES,
        description: `How many matching events to show, the newest; ${DEFAULT_SAMPLES} if not given.`,
      }),
    ),
    policy: Type.Optional(
      Type.Boolean({
        description:
          'Whether Policy is asked about events on which no answer to you is on record; yes if not given. With no, ' +
          'those events are not looked into, unless you are an admin.',
      }),
    ),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: '^[^\\u0000]*$',
        description: 'Who Policy is asked about: whoever asks. An admin may name somebody else.',
      }),
    ),
  },
  {
    additionalProperties: false,
    examples: [
      {
        jsonpath: '$[?(@.eventType = "org.pacifica.metadata.ingest")]',
        since: '2026-11-15T00:00:00Z',
      },
    ],
  },
)
export type BacktestBody = Static<typeof BacktestBody>
