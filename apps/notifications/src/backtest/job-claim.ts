/** How a worker takes a backtest in hand and stores how far it came: a lease in `due`, a fencing token in `claim`. */
import type { Dialect } from '@pacifica/jsonpath'
import type { Database } from '@pacifica/platform'
import type { Version } from '../subscriptions/subscription.ts'
import { IN_TURN, type JobState, readTally } from './job-store.ts'
import type { SampleKind, Tally } from './tally.ts'

/** Up to where the job is done: the last event that it is past, or, at first, the end of its period. */
export interface Reached {
  /** As text: a Date has no microseconds. */
  readonly created: string
  readonly event: string
}

export interface ClaimedJob {
  readonly uuid: string
  readonly owner: string
  readonly seesAll: boolean
  readonly jsonpath: string
  readonly dialect: Dialect
  readonly version: Version
  readonly samples: number
  readonly policy: boolean
  readonly since: Date
  readonly until: Date
  readonly sinceText: string
  readonly reached: Reached
  readonly total: number | null
  readonly tally: Tally
  /** The fencing token. */
  readonly claim: number
  /** Claims since something was last stored, this one included. */
  readonly begun: number
}

export interface ClaimOptions {
  readonly leaseMs: number
  /** Running at once: of one user, and in all. */
  readonly perUser: number
  readonly inAll: number
}

const OPEN = `state IN ('waiting', 'running') AND due <= now()`
const look = `SELECT FROM backtest_job WHERE ${OPEN} LIMIT 1`

const claim = `
  UPDATE backtest_job SET state = 'running', started = coalesce(started, now()), claim = claim + 1, begun = begun + 1,
    due = now() + $1::float8 * interval '1 millisecond'
  WHERE uuid = (
    SELECT j.uuid FROM backtest_job j
    WHERE j.${OPEN} AND (j.state = 'running' OR (
      (SELECT count(*) FROM backtest_job r WHERE r.state = 'running') < $2
      AND (SELECT count(*) FROM backtest_job r WHERE r.state = 'running' AND r.asked_by = j.asked_by) < $3))
    ORDER BY j.due, j.created LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING uuid, owner, sees_all AS "seesAll", jsonpath, dialect, version, samples, policy, since, until,
    since::text AS "sinceText", coalesce(position_created, until)::text AS "reachedCreated",
    coalesce(position_event, '00000000-0000-0000-0000-000000000000') AS "reachedEvent", total, tally, claim, begun`

type Row = Omit<ClaimedJob, 'reached' | 'tally'> & {
  readonly reachedCreated: string
  readonly reachedEvent: string
  readonly tally: string | null
}

/** The one that has waited longest; jobs that run take turns. */
export async function claimJob(
  database: Database,
  { leaseMs, inAll, perUser }: ClaimOptions,
): Promise<ClaimedJob | undefined> {
  if ((await database.query(look)).length === 0) return undefined
  return database.transaction(async (sql) => {
    await sql.query(IN_TURN)
    const [row] = await sql.query<Row>(claim, [leaseMs, inAll, perUser])
    if (row === undefined) return undefined
    const { reachedCreated: created, reachedEvent: event, tally, ...job } = row
    return { ...job, reached: { created, event }, tally: readTally(tally) }
  })
}

/** Counting must cost nothing: beyond this a job says "at least so many". */
export const MOST_COUNTED = 200_000

const countEvents = `
  UPDATE backtest_job j SET total = (
    SELECT count(*)::int FROM (
      SELECT FROM eventlog WHERE created >= j.since AND created < j.until LIMIT ${MOST_COUNTED}) counted)
  WHERE j.uuid = $1 AND j.claim = $2`

export async function countTotal(database: Database, job: ClaimedJob): Promise<void> {
  await database.query(countEvents, [job.uuid, job.claim])
}

/** A sample to store. */
export interface FoundSample {
  readonly kind: SampleKind
  readonly event: string
  readonly place: number
  readonly policy: string | null
  readonly found: string | null
}

/** What a turn came to. */
export interface Turn {
  readonly tally: Tally
  readonly reached: Reached
  readonly samples: readonly FoundSample[]
  readonly state: Extract<JobState, 'running' | 'done' | 'failed'>
  /** Why it failed, or ended early. */
  readonly reason: string | undefined
  /** It has looked at the whole period. */
  readonly complete: boolean
  /** Why it does nothing at present. */
  readonly waiting: string | undefined
  readonly againInMs: number
}

const record = `
  UPDATE backtest_job SET tally = $3, position_created = $4::timestamptz, position_event = $5, state = $6, reason = $7,
    complete = $8, waiting = $9, begun = 0, updated = now(),
    finished = CASE WHEN $6 <> 'running' THEN now() END,
    due = CASE WHEN $6 = 'running' THEN now() + $10::float8 * interval '1 millisecond' END
  WHERE uuid = $1 AND claim = $2 AND state = 'running'
  RETURNING uuid`

// Events that were purged meanwhile are shown nowhere; those that are being purged are waited for.
const addSamples = `
  INSERT INTO backtest_sample (job, kind, event, place, policy, found)
  SELECT $1, s.kind, s.event, s.place, s.policy, s.found
  FROM unnest($2::text[], $3::uuid[], $4::int[], $5::text[], $6::text[]) AS s (kind, event, place, policy, found)
  JOIN (SELECT uuid FROM eventlog WHERE uuid = ANY($3::uuid[]) ORDER BY uuid FOR KEY SHARE) e ON e.uuid = s.event
  ON CONFLICT DO NOTHING`

/** Stores what was found and moves on, or, when the claim was lost or the job ended, does neither: then false. */
export function recordTurn(
  database: Pick<Database, 'transaction'>,
  job: Pick<ClaimedJob, 'uuid' | 'claim'>,
  turn: Turn,
): Promise<boolean> {
  const { tally, reached, state, reason, complete, waiting, againInMs, samples } = turn
  const place = [JSON.stringify(tally), reached.created, reached.event]
  const end = [state, reason ?? null, complete, waiting ?? null, againInMs]
  return database.transaction(async (sql) => {
    const ours = await sql.query(record, [job.uuid, job.claim, ...place, ...end])
    if (ours.length === 0) return false
    if (samples.length > 0) await sql.query(addSamples, [job.uuid, ...columnsOf(samples)])
    return true
  })
}

function columnsOf(samples: readonly FoundSample[]): unknown[][] {
  return [
    samples.map(({ kind }) => kind),
    samples.map(({ event }) => event),
    samples.map(({ place }) => place),
    samples.map(({ policy }) => policy),
    samples.map(({ found }) => found),
  ]
}
