/**
 * The rows of recoveries. A job is claimed like everything else: a lease in `due`, a fencing token in `claim`. Replaying a
 * few deliveries and moving the job's position past them is one transaction, so no delivery is replayed twice by one job.
 */
import type { Database, Sql } from '@pacifica/platform'
import { bindings } from '../history/bindings.ts'
import { microsOf, type Place, timeOf } from '../history/page.ts'
import { CANDIDATE, type Candidate, type Replayable, replayDeliveries } from '../history/replay.ts'

export interface RecoverJob {
  readonly uuid: string
  readonly subscription: string
  readonly askedBy: string
  readonly state: 'running' | 'done' | 'cancelled'
  readonly reason: string | null
  readonly since: Date
  readonly until: Date
  readonly states: readonly Replayable[]
  readonly total: number
  readonly replayed: number
  readonly skipped: number
  readonly waiting: string | null
  readonly reached: Date | null
  readonly created: Date
  readonly micros: number
  readonly updated: Date
  readonly finished: Date | null
}

export interface NewJob {
  readonly subscription: string
  readonly askedBy: string
  readonly since: Date
  /** Undefined: up to now. */
  readonly until: Date | undefined
  readonly states: readonly Replayable[]
}

/** One recovery of a subscription at a time. */
export class RecoveryRunningError extends Error {
  readonly code = 'RECOVERY_RUNNING'
  constructor(subscription: string) {
    super(
      `a recovery of subscription ${subscription} is running: GET /eventmatch/${subscription}/recover shows it, ` +
        'DELETE ends it',
    )
  }
}

const COLUMNS = `
  j.uuid, j.subscription, j.asked_by AS "askedBy", j.state, j.reason, j.since, j.until, j.states, j.total, j.replayed,
  j.skipped, j.waiting, j.position_received AS reached, j.created, ${microsOf('j.created')} AS micros, j.updated,
  j.finished`

const RANGE =
  'd.received >= j.since AND d.received < j.until AND d.state = ANY(j.states) AND NOT d.test'

const create = `
  INSERT INTO recover_job AS j (subscription, asked_by, since, until, states, total)
  SELECT $1, $2, $3, coalesce($4, now()), $5, (
    SELECT count(*)::int FROM delivery d WHERE d.subscription = $1 AND d.received >= $3
      AND d.received < coalesce($4, now()) AND d.state = ANY($5) AND NOT d.test)
  ON CONFLICT (subscription) WHERE state = 'running' DO NOTHING
  RETURNING ${COLUMNS}`

/** @throws RecoveryRunningError */
export async function createJob(sql: Sql, job: NewJob): Promise<RecoverJob> {
  const { subscription, askedBy, since, until, states } = job
  const values = [subscription, askedBy, since, until ?? null, states]
  const [row] = await sql.query<RecoverJob>(create, values)
  if (row === undefined) throw new RecoveryRunningError(subscription)
  return row
}

const find = `SELECT ${COLUMNS} FROM recover_job j WHERE j.subscription = $1 AND j.uuid = $2`

export async function findJob(
  sql: Sql,
  subscription: string,
  uuid: string,
): Promise<RecoverJob | undefined> {
  return (await sql.query<RecoverJob>(find, [subscription, uuid]))[0]
}

/** Newest first; one row more than `limit` when there is one. */
export function listJobs(
  sql: Sql,
  subscription: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<RecoverJob[]> {
  const { values, bind } = bindings()
  const own = `j.subscription = ${bind(subscription, 'uuid')}`
  const place =
    after === undefined
      ? ''
      : `AND (j.created, j.uuid) < (${timeOf(bind(after.micros, 'bigint'))}, ${bind(after.uuid, 'uuid')})`
  return sql.query<RecoverJob>(
    `SELECT ${COLUMNS} FROM recover_job j WHERE ${own} ${place}
     ORDER BY j.created DESC, j.uuid DESC LIMIT ${bind(limit + 1, 'int')}`,
    values,
  )
}

const cancel = `
  UPDATE recover_job j SET state = 'cancelled', reason = $3, due = NULL, waiting = NULL, updated = now(), finished = now()
  WHERE j.subscription = $1 AND j.uuid = $2 AND j.state = 'running'
  RETURNING ${COLUMNS}`

/** Ends a running job; undefined when it is not running. What it has replayed stays so. */
export async function cancelJob(
  sql: Sql,
  subscription: string,
  uuid: string,
  reason: string,
): Promise<RecoverJob | undefined> {
  return (await sql.query<RecoverJob>(cancel, [subscription, uuid, reason]))[0]
}

/** A job in hand. */
export interface ClaimedJob {
  readonly uuid: string
  readonly subscription: string
  /** The fencing token. */
  readonly claim: number
  readonly disabled: boolean
  readonly deleted: boolean
  /** The subscription has only failed lately. */
  readonly failing: boolean
  /** Deliveries of the subscription that are due or in hand; while it is failing, replayed ones that wait too. */
  readonly underWay: number
}

/** No pace is faster: what is under way is counted up to here. */
export const MOST_PACE = 1000
/** A step takes far less; whoever needs longer has died. */
const LEASE = "interval '30 seconds'"

const claim = `
  WITH taken AS (
    UPDATE recover_job SET claim = claim + 1, due = now() + ${LEASE}
    WHERE uuid = (SELECT uuid FROM recover_job WHERE state = 'running' AND due <= now()
                  ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING uuid, subscription, claim)
  SELECT t.uuid, t.subscription, t.claim, m.disabled IS NOT NULL AS disabled, m.deleted IS NOT NULL AS deleted,
    m.failing_since IS NOT NULL AS failing, (
      SELECT count(*)::int FROM (
        SELECT 1 FROM delivery d WHERE d.subscription = t.subscription AND d.state <> 'delivered'
          AND (d.state IN ('pending', 'delivering')
            OR d.state = 'retrying' AND (d.due <= now() OR m.failing_since IS NOT NULL AND d.replay > 0))
        LIMIT ${MOST_PACE}) counted
    ) AS "underWay"
  FROM taken t JOIN eventmatch m ON m.uuid = t.subscription`

export async function claimJob(sql: Sql): Promise<ClaimedJob | undefined> {
  return (await sql.query<ClaimedJob>(claim))[0]
}

// The next few are found in the order of an index, and only then joined: a step costs the same wherever the job is.
const candidates = `
  SELECT ${CANDIDATE}
  FROM recover_job j CROSS JOIN LATERAL (
    SELECT d.uuid, d.state, d.claim, d.event, d.received FROM delivery d
    WHERE d.subscription = j.subscription AND ${RANGE}
      AND (d.received, d.event) > (coalesce(j.position_received, '-infinity'),
                                   coalesce(j.position_event, '00000000-0000-0000-0000-000000000000'))
    ORDER BY d.received, d.event LIMIT $3) d
  JOIN eventmatch m ON m.uuid = j.subscription JOIN eventlog e ON e.uuid = d.event
  WHERE j.uuid = $1 AND j.claim = $2
  ORDER BY d.received, d.event`

/** What comes after the job's position, oldest first. */
export function nextCandidates(sql: Sql, job: ClaimedJob, limit: number): Promise<Candidate[]> {
  return sql.query<Candidate>(candidates, [job.uuid, job.claim, limit])
}

/** What a step came to. */
export interface Step {
  readonly wanted: readonly string[]
  readonly skipped: number
  /** The delivery up to which the job is done; undefined: its position stays. */
  readonly upTo: string | undefined
  /** Why it does nothing at present. */
  readonly waiting: string | undefined
  readonly finished: boolean
  readonly againInMs: number
}

const advance = `
  UPDATE recover_job j SET
    position_received = coalesce(d.received, j.position_received), position_event = coalesce(d.event, j.position_event),
    skipped = j.skipped + $4, waiting = $5, updated = now(),
    state = CASE WHEN $6 THEN 'done' ELSE j.state END, finished = CASE WHEN $6 THEN now() END,
    due = CASE WHEN NOT $6 THEN now() + $7::float8 * interval '1 millisecond' END
  FROM (SELECT 1) one LEFT JOIN delivery d ON d.uuid = $3
  WHERE j.uuid = $1 AND j.claim = $2 AND j.state = 'running'
  RETURNING j.uuid`

const count = 'UPDATE recover_job SET replayed = replayed + $2 WHERE uuid = $1'

/** Replays and moves on, or, when the claim was lost or the job ended, does neither: then undefined. */
export function recordStep(
  database: Pick<Database, 'transaction'>,
  job: ClaimedJob,
  step: Step,
): Promise<number | undefined> {
  const { upTo, skipped, waiting, finished, againInMs } = step
  return database.transaction(async (sql) => {
    const values = [
      job.uuid,
      job.claim,
      upTo ?? null,
      skipped,
      waiting ?? null,
      finished,
      againInMs,
    ]
    const ours = await sql.query(advance, values)
    if (ours.length === 0) return undefined
    const replayed = await replayDeliveries(sql, step.wanted)
    if (replayed.size > 0) await sql.query(count, [job.uuid, replayed.size])
    return replayed.size
  })
}
