/** What backtests ask of the tables of notifications. */
import { createMetrics } from '@pacifica/platform'
import {
  type ClaimedJob,
  claimJob,
  countTotal,
  recordTurn,
  type Turn,
} from '../../apps/notifications/src/backtest/job-claim.ts'
import {
  cancelJob,
  createJob,
  findJob,
  listJobs,
  type NewJob,
  removeJob,
  removeOld,
  samplesOf,
} from '../../apps/notifications/src/backtest/job-store.ts'
import { backtestGauge } from '../../apps/notifications/src/backtest/metrics.ts'
import {
  nextEvents,
  type StoredEvent,
} from '../../apps/notifications/src/backtest/stored-events.ts'
import type { Case } from './case.ts'
import type { Known } from './known.ts'

const CLAIM = { leaseMs: 60_000, perUser: 100, inAll: 100 }
const BATCH = { events: 200, bytes: 4 * 1024 * 1024, ttlMs: 600_000 }

export function backtestCases(known: Known): Case[] {
  return [...asked(known), ...turns(known), ...ends(known)]
}

function draftOf({ most, farBack }: Known): NewJob {
  return {
    ...{ name: null, jsonpath: '$.data', dialect: 'jsonpath2', version: 'v0.1', samples: 20 },
    ...{ policy: true, askedBy: most.user, owner: most.user, seesAll: false },
    ...{ since: farBack, until: undefined },
  }
}

function asked(known: Known): Case[] {
  const { backtest, most, usual, middle } = known
  const list = (name: string, user: string, after: Known['middle'] | undefined): Case => ({
    name: `GET /backtests: ${name}`,
    run: ({ database }) => listJobs(database, { user, admin: false }, { after, limit: 100 }),
  })
  return [
    {
      name: 'POST /backtests of one who has as many as are kept',
      run: ({ database }) => createJob(database, draftOf(known)),
    },
    list('of one who has many', most.user, undefined),
    list('of a usual user', usual.user, undefined),
    list('a page in the middle', most.user, middle),
    {
      name: 'GET /backtests/UUID',
      async run({ database }) {
        await findJob(database, backtest)
        await samplesOf(database, backtest)
      },
    },
    {
      name: 'GET /metrics: backtests',
      async run({ database }) {
        const metrics = createMetrics()
        backtestGauge({ metrics, sql: database })
        await metrics.text()
      },
    },
  ]
}

function turns(known: Known): Case[] {
  const { most, usual, farBack, middle } = known
  const sinceText = '1970-01-01T00:00:00Z'
  const event = 'ffffffff-ffff-4fff-bfff-ffffffffffff'
  const batch = (name: string, owner: string, created: Date): Case => ({
    name: `backtest: a batch of 200 events, ${name}`,
    run: ({ database }) =>
      nextEvents(database, { owner, sinceText }, { created: created.toISOString(), event }, BATCH),
  })
  const inTheMiddle = new Date(middle.micros / 1_000)
  return [
    {
      name: 'backtest: claim one, count its events, look at 200, record the turn',
      async run({ database }) {
        const job = await claimJob(database, CLAIM)
        if (job === undefined) throw new Error('no backtest is due')
        await countTotal(database, job)
        const { uuid, claim } = job
        const events = await nextEvents(database, job, job.reached, BATCH)
        await recordTurn(database, { uuid, claim }, turnOf(job, events))
      },
    },
    batch('the newest, as one with much', most.user, new Date()),
    batch('in the middle, as a usual user', usual.user, inTheMiddle),
    batch("of the Python service's time", usual.user, new Date(farBack.getTime() - 8 * 86_400_000)),
  ]
}

function turnOf({ tally, reached }: ClaimedJob, events: readonly StoredEvent[]): Turn {
  const samples = events.slice(0, 20).map(({ uuid }, index) => ({
    ...{ kind: 'matched' as const, event: uuid, place: index, policy: 'allowed', found: '[]' },
  }))
  const last = events.at(-1)
  return {
    ...{ tally, samples, state: 'running', reason: undefined, complete: false },
    ...{ waiting: undefined, againInMs: 0 },
    reached: last === undefined ? reached : { created: last.createdText, event: last.uuid },
  }
}

function ends({ backtest, openBacktest }: Known): Case[] {
  const weekMs = 7 * 86_400_000
  return [
    {
      name: 'DELETE /backtests/UUID of one that has not ended',
      run: ({ database }) => cancelJob(database, openBacktest, 'enough'),
    },
    {
      name: 'DELETE /backtests/UUID of one that has ended',
      run: ({ database }) => removeJob(database, backtest),
    },
    {
      name: 'backtests that ended long ago: a batch of 100',
      run: ({ database }) => removeOld(database, weekMs),
    },
    {
      name: 'backtests that ended long ago: there are none',
      run: ({ database }) => removeOld(database, 1e12),
    },
  ]
}
