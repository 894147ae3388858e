/** What the API says of a backtest. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { OneOf, OrNull, Time, Uuid } from '../history/delivery-view.ts'
import { BUCKETS } from './buckets.ts'
import { MOST_COUNTED } from './job-claim.ts'
import { JOB_STATES } from './job-store.ts'

const Count = (description: string, examples?: number[]) =>
  Type.Integer({ minimum: 0, description, ...(examples && { examples }) })

const Progress = Type.Object({
  looked_at: Count('Events that it is past, whatever became of them.', [2500]),
  total: OrNull(
    Count(
      `Events of the period when it began, counted up to ${MOST_COUNTED}; null: not counted yet.`,
      [10000],
    ),
  ),
  reached: OrNull(
    Type.String({ format: 'date-time', description: 'It is past all that is newer.' }),
  ),
})

const Histogram = Type.Object({
  by: OneOf(BUCKETS, 'As fine as the period allows, in UTC.'),
  counts: Type.Array(Type.Object({ from: Time, matched: Count('Matches.', [12]) }), {
    description: 'Without those that are 0.',
  }),
})

const Cost = Type.Object(
  {
    class: OneOf(
      ['indexed', 'every_event'] as const,
      '`indexed`: an index finds it; `every_event`: as a subscription it would be evaluated on every event, and such ' +
        'subscriptions are limited.',
    ),
    part: OrNull(
      Type.Object(
        { text: Type.String({ examples: ['not @["eventType"] = "x"'] }), offset: Type.Integer() },
        {
          description:
            'Because of what no index finds it, and where that stands in the expression.',
        },
      ),
    ),
    evaluated: Count('Events that it was run on.', [2400]),
    mean_steps: OrNull(
      Type.Number({ description: 'The work that it took, on average.', examples: [41.5] }),
    ),
    max_steps: OrNull(Type.Integer({ description: 'And at the most.', examples: [207] })),
    over_budget: Count(
      'Events on which it did more work than allowed: their deliveries would fail.',
      [0],
    ),
    warnings: Type.Array(
      Type.Object({ code: Type.String(), message: Type.String(), offset: Type.Integer() }),
      { description: 'What in the expression often means something else.' },
    ),
  },
  { description: 'What the expression costs.' },
)

const Policy = Type.Object(
  {
    user: Type.String({ description: 'Who Policy was asked about.', examples: ['dmlb2001'] }),
    of: OneOf(
      ['events', 'matches'] as const,
      '`events`: about all events of the period, whether they match or not, for only events that you may see are looked ' +
        'into; `matches`: an admin’s, about those that match.',
    ),
    allowed: Count('Events that the user may see.', [2400]),
    denied: Count('Events that the user may not see: they would not be delivered.', [100]),
    unknown: Count('Events on which there is no answer.', [0]),
    asked: Count('Questions that Policy was asked; all else was on record.', [2500]),
    reasons: Type.Array(
      Type.Object({
        reason: Type.String({ examples: ['Policy answered 412'] }),
        count: Count('How often.', [100]),
      }),
      { description: 'Why events were not allowed, the most frequent first.' },
    ),
  },
  { description: 'What Policy says.' },
)

const Summary = {
  uuid: Uuid,
  asked_by: Type.String(),
  name: OrNull(Type.String()),
  jsonpath: Type.String(),
  dialect: Type.String(),
  version: Type.String(),
  since: Type.String({
    format: 'date-time',
    description: 'Not before the first event that is stored.',
    examples: ['2026-11-15T00:00:00.000Z'],
  }),
  until: Time,
  state: OneOf(JOB_STATES, '`failed`: it could not go on, and `reason` says why.'),
  reason: OrNull(Type.String({ description: 'Why it ended, unless it is simply done.' })),
  complete: Type.Boolean({ description: 'It has looked at the whole period.' }),
  waiting: OrNull(Type.String({ description: 'Why it does nothing at present.' })),
  progress: Progress,
  matched: Count(
    'Events that match, of those that you may see. They would have been delivered.',
    [12],
  ),
  unreadable: Count('Stored texts that cannot be read as events.', [0]),
  histogram: Histogram,
  cost: Cost,
  policy: Policy,
  created: Time,
  started: OrNull(Time),
  updated: Time,
  finished: OrNull(Time),
}

const SampleReply = Type.Object({
  event: Uuid,
  received: Time,
  type: OrNull(Type.String({ examples: ['org.pacifica.metadata.ingest'] })),
  source: OrNull(Type.String()),
  id: OrNull(Type.String()),
  time: OrNull(Type.String({ description: 'As the sender wrote it.' })),
  count: Type.Integer({ description: 'How many values the expression selects.' }),
  values: Type.Array(Type.Unknown(), {
    description: 'The first 20, up to 16 KiB; those of all samples up to 256 KiB.',
  }),
  truncated: Type.Boolean({ description: 'Values were left out.' }),
  error: OrNull(Type.String({ description: 'Why the values cannot be said.' })),
  policy: OrNull(
    Type.String({ description: 'What Policy says.', examples: ['allowed', 'denied', 'unknown'] }),
  ),
})

const Ids = (description: string) => Type.Array(Uuid, { description })

export const BacktestSummary = Type.Object(Summary)
export type BacktestSummary = Static<typeof BacktestSummary>

export const BacktestReply = Type.Object({
  ...Summary,
  samples: Type.Array(SampleReply, { description: 'Events that match, the newest first.' }),
  other_samples: Type.Object(
    {
      over_budget: Ids('Events on which the expression did too much work.'),
      denied: Ids('In an admin’s backtest: matches that the user may not see.'),
      unknown: Ids('In an admin’s backtest: matches on which Policy gave no answer.'),
    },
    { description: 'Events of other kinds, by their ids.' },
  ),
})
export type BacktestReply = Static<typeof BacktestReply>
