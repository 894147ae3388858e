/**
 * The rows of backtests, as people see them: made, listed, ended, removed. How a worker takes them in hand stands in
 * job-claim.ts.
 */
import type { Dialect } from '@pacifica/jsonpath'
import type { Database, Sql } from '@pacifica/platform'
import { bindings } from '../history/bindings.ts'
import { microsOf, type Place, timeOf } from '../history/page.ts'
import type { Version } from '../subscriptions/subscription.ts'
import { BacktestLimitError } from './errors.ts'
import { EMPTY, type SampleKind, type Tally } from './tally.ts'

export const JOB_STATES = ['waiting', 'running', 'done', 'cancelled', 'failed'] as const
export type JobState = (typeof JOB_STATES)[number]

export interface Draft {
  readonly name: string | null
  readonly jsonpath: string
  readonly dialect: Dialect
  readonly version: Version
  readonly samples: number
  /** Whether Policy is asked where no answer is on record. */
  readonly policy: boolean
}

export interface NewJob extends Draft {
  readonly askedBy: string
  /** Who Policy is asked about. */
  readonly owner: string
  /** An admin's: the expression is run on every event. */
  readonly seesAll: boolean
  readonly since: Date
  /** Undefined: up to now. */
  readonly until: Date | undefined
}

export interface Job extends Draft {
  readonly uuid: string
  readonly askedBy: string
  readonly owner: string
  readonly seesAll: boolean
  readonly since: Date
  readonly until: Date
  readonly state: JobState
  readonly reason: string | null
  readonly complete: boolean
  readonly waiting: string | null
  /** Events of the period, counted up to a bound; null: not yet. */
  readonly total: number | null
  readonly tally: Tally
  readonly reached: Date | null
  readonly created: Date
  readonly micros: number
  readonly started: Date | null
  readonly updated: Date
  readonly finished: Date | null
}

type JobRow = Omit<Job, 'tally'> & { readonly tally: string | null }

/** Not ended: per user, and in all. */
export const MOST_OPEN = { yours: 10, all: 100 } as const
/** Ended ones of a user: the newest stay. */
export const MOST_ENDED = 50

/** The next millisecond: a backtest whose period ends there misses nothing that was not looked at. */
const REACHED = `date_trunc('milliseconds', j.position_created) + interval '1 millisecond'`

const COLUMNS = `
  j.uuid, j.asked_by AS "askedBy", j.owner, j.sees_all AS "seesAll", j.name, j.jsonpath, j.dialect, j.version, j.since,
  j.until, j.samples, j.policy, j.state, j.reason, j.complete, j.waiting, j.total, j.tally,
  ${REACHED} AS reached, j.created, ${microsOf('j.created')} AS micros, j.started, j.updated, j.finished`

/** Whoever adds one, or begins one, waits here: what was counted stays true until the commit. */
export const IN_TURN = `SELECT pg_advisory_xact_lock(hashtextextended('notifications.backtest_job', 0))`

const countOpen = `
  SELECT count(*) FILTER (WHERE asked_by = $1)::int AS yours, count(*)::int AS all
  FROM backtest_job WHERE state IN ('waiting', 'running')`

const tooMany = `
  SELECT uuid FROM backtest_job WHERE asked_by = $1 AND finished IS NOT NULL
  ORDER BY created DESC, uuid DESC OFFSET ${MOST_ENDED - 1}`

// The period ends now at the latest, and does not begin before the first event.
const create = `
  INSERT INTO backtest_job AS j (asked_by, owner, sees_all, name, jsonpath, dialect, version, samples, policy, since, until)
  SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9,
    least(greatest($10::timestamptz, (SELECT min(created) FROM eventlog)), ends.at), ends.at
  FROM (SELECT least(coalesce($11::timestamptz, now()), now()) AS at) ends
  RETURNING ${COLUMNS}`

/** @throws BacktestLimitError */
export function createJob(database: Pick<Database, 'transaction'>, job: NewJob): Promise<Job> {
  return database.transaction(async (sql) => {
    await sql.query(IN_TURN)
    const [open] = await sql.query<{ yours: number; all: number }>(countOpen, [job.askedBy])
    if (open !== undefined && open.yours >= MOST_OPEN.yours)
      throw new BacktestLimitError('yours', open.yours)
    if (open !== undefined && open.all >= MOST_OPEN.all)
      throw new BacktestLimitError('all', open.all)
    const old = await sql.query<{ uuid: string }>(tooMany, [job.askedBy])
    await remove(sql, old)
    const about = [job.askedBy, job.owner, job.seesAll, job.name]
    const draft = [job.jsonpath, job.dialect, job.version, job.samples, job.policy]
    const values = [...about, ...draft, job.since, job.until ?? null]
    return jobOf((await sql.query<JobRow>(create, values))[0] as JobRow)
  })
}

const find = `SELECT ${COLUMNS} FROM backtest_job j WHERE j.uuid = $1`

export async function findJob(sql: Sql, uuid: string): Promise<Job | undefined> {
  const [row] = await sql.query<JobRow>(find, [uuid])
  return row && jobOf(row)
}

/** Newest first; one row more than `limit` when there is one. */
export async function listJobs(
  sql: Sql,
  { user, admin }: { user: string; admin: boolean },
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<Job[]> {
  const { values, bind } = bindings()
  // What was found as an admin is for admins.
  const own = `j.asked_by = ${bind(user, 'text')} ${admin ? '' : 'AND NOT j.sees_all'}`
  const place =
    after === undefined
      ? ''
      : `AND (j.created, j.uuid) < (${timeOf(bind(after.micros, 'bigint'))}, ${bind(after.uuid, 'uuid')})`
  const rows = await sql.query<JobRow>(
    `SELECT ${COLUMNS} FROM backtest_job j WHERE ${own} ${place}
     ORDER BY j.created DESC, j.uuid DESC LIMIT ${bind(limit + 1, 'int')}`,
    values,
  )
  return rows.map(jobOf)
}

const cancel = `
  UPDATE backtest_job j SET state = 'cancelled', reason = $2, due = NULL, waiting = NULL, updated = now(), finished = now()
  WHERE j.uuid = $1 AND j.state IN ('waiting', 'running')
  RETURNING ${COLUMNS}`

/** Ends one; undefined when it had ended. What it has found stays. */
export async function cancelJob(sql: Sql, uuid: string, reason: string): Promise<Job | undefined> {
  const [row] = await sql.query<JobRow>(cancel, [uuid, reason])
  return row && jobOf(row)
}

/** Removes one that has ended, with its samples. */
export function removeJob(database: Pick<Database, 'transaction'>, uuid: string): Promise<void> {
  return database.transaction((sql) => remove(sql, [{ uuid }]))
}

const old = `
  SELECT uuid FROM backtest_job WHERE finished < now() - $1::float8 * interval '1 millisecond'
  ORDER BY finished LIMIT 100`

/** Removes a hundred at most of those that ended longer ago. */
export function removeOld(
  database: Pick<Database, 'transaction'>,
  keepMs: number,
): Promise<number> {
  return database.transaction(async (sql) => {
    const jobs = await sql.query<{ uuid: string }>(old, [keepMs])
    await remove(sql, jobs)
    return jobs.length
  })
}

// A purge that removes these events takes their samples too: whoever holds the events first removes both.
const holdEvents = `
  SELECT FROM eventlog WHERE uuid IN (SELECT event FROM backtest_sample WHERE job = ANY($1::uuid[]))
  ORDER BY uuid FOR KEY SHARE`

async function remove(sql: Sql, jobs: readonly { uuid: string }[]): Promise<void> {
  if (jobs.length === 0) return
  const uuids = jobs.map(({ uuid }) => uuid)
  await sql.query(holdEvents, [uuids])
  await sql.query(
    'DELETE FROM backtest_job WHERE uuid = ANY($1::uuid[]) AND finished IS NOT NULL',
    [uuids],
  )
}

/** An event that a backtest shows. */
export interface Sample {
  readonly kind: SampleKind
  readonly event: string
  /** In admins' backtests: what Policy says of it to the owner. */
  readonly policy: string | null
  /** What matched, as JSON. */
  readonly found: string | null
  readonly received: Date
  readonly type: string | null
  readonly source: string | null
  readonly id: string | null
  readonly time: string | null
}

const LONGEST = 1000
const samples = `
  SELECT s.kind, s.event, s.policy, s.found, e.created AS received, left(e.event_type, ${LONGEST}) AS type,
    left(e.source, ${LONGEST}) AS source, left(e.event_id, ${LONGEST}) AS id, left(e.event_time, ${LONGEST}) AS time
  FROM backtest_sample s JOIN eventlog e ON e.uuid = s.event WHERE s.job = $1 ORDER BY s.place`

/** In the order in which they were found: the newest event first. */
export function samplesOf(sql: Sql, uuid: string): Promise<Sample[]> {
  return sql.query<Sample>(samples, [uuid])
}

function jobOf({ tally, ...row }: JobRow): Job {
  return { ...row, tally: readTally(tally) }
}

export function readTally(text: string | null): Tally {
  return text === null ? EMPTY : { ...EMPTY, ...(JSON.parse(text) as Partial<Tally>) }
}
