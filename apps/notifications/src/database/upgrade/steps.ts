/** The statements of an upgrade, one function each; `sync.ts` says in which order. */
import type { Sql } from '@pacifica/platform'
import { tablesThere } from '../migrations.ts'
import { UpgradeError } from './errors.ts'
import type { PythonSubscription, UpgradedSubscription } from './upgrade-subscription.ts'

/** `3.0`; a database of the first releases does not say: `0.0`. */
export async function pythonVersion(sql: Sql): Promise<string> {
  if (!(await isThere(sql, 'notificationsystem'))) return '0.0'
  const rows = await sql.query<{ part: string; value: number }>(
    'SELECT part, value FROM notificationsystem',
  )
  const value = (part: string) => rows.find((row) => row.part === part)?.value ?? 0
  return `${value('major')}.${value('minor')}`
}

/**
 * The zone's name as PostgreSQL writes it.
 * @throws UpgradeError when it knows no such zone
 */
export async function knownZone(sql: Sql, zone: string): Promise<string> {
  const [row] = await sql.query<{ name: string }>(
    'SELECT name FROM pg_timezone_names WHERE lower(name) = lower($1)',
    [zone],
  )
  if (row !== undefined) return row.name
  throw new UpgradeError(
    `--timezone ${zone} is no time zone: use a name such as Europe/Berlin or UTC`,
  )
}

/** To the end of the transaction, naive times are read in this zone. */
export async function useZone(sql: Sql, zone: string): Promise<void> {
  await sql.query(`SELECT set_config('TimeZone', $1, true)`, [zone])
}

/** Whoever holds the tables for longer is most likely the Python service. */
export async function limitWaiting(sql: Sql): Promise<void> {
  await sql.query(`SET LOCAL lock_timeout = '30s'`)
}

/** Every column that is there, whatever the schema. */
export async function readSubscriptions(sql: Sql): Promise<PythonSubscription[]> {
  if (!(await isThere(sql, 'eventmatch'))) return []
  const rows = await sql.query<{ row: PythonSubscription }>(
    'SELECT to_jsonb(e) AS row FROM eventmatch e ORDER BY created, uuid',
  )
  return rows.map(({ row }) => row)
}

const update = `
  UPDATE eventmatch m SET target_url = u.target_url, version = u.version, extensions = u.extensions, auth = u.auth,
    disabled = CASE WHEN u.refused IS NULL THEN m.disabled ELSE coalesce(m.disabled, now()) END,
    error = CASE WHEN u.refused IS NULL THEN m.error
                 WHEN m.error IS NULL THEN u.refused ELSE u.refused || '; before the upgrade: ' || m.error END
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS u (uuid, target_url, version, extensions, auth, refused)
  WHERE m.uuid = u.uuid`

export interface SealedSubscription extends Omit<UpgradedSubscription, 'auth'> {
  /** The column's text. */
  readonly auth: string
}

export async function writeSubscriptions(
  sql: Sql,
  rows: readonly SealedSubscription[],
): Promise<void> {
  await sql.query(update, [
    rows.map((row) => row.uuid),
    rows.map((row) => row.targetUrl),
    rows.map((row) => row.version),
    rows.map((row) => row.extensions),
    rows.map((row) => row.auth),
    rows.map((row) => row.refused ?? null),
  ])
}

/** Of a body that cannot be read (NaN, or what is no object) nothing is known. */
const memberFunction = `
  CREATE OR REPLACE FUNCTION pg_temp.pacifica_members(body text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $function$
  DECLARE event json;
  BEGIN
    event := body;
    RETURN ARRAY[
      coalesce(event ->> 'specversion', event ->> 'cloudEventsVersion'), event ->> 'source',
      coalesce(event ->> 'id', event ->> 'eventID'), coalesce(event ->> 'type', event ->> 'eventType'),
      coalesce(event ->> 'time', event ->> 'eventTime')];
  EXCEPTION WHEN others THEN RETURN NULL;
  END $function$`

const describe = `
  UPDATE eventlog e SET spec_version = m[1], source = m[2], event_id = m[3], event_type = m[4], event_time = m[5]
  FROM (SELECT uuid, pg_temp.pacifica_members(jsondata) AS m FROM eventlog) AS found
  WHERE found.uuid = e.uuid AND m IS NOT NULL`

/** Gives old events the columns by which the history is searched. */
export async function describeEvents(sql: Sql): Promise<void> {
  await sql.query(memberFunction)
  await sql.query(describe)
}

/** The rows that a database of the first releases lacks; the migrations write the version into them. */
export async function recordVersion(sql: Sql): Promise<void> {
  await sql.query(
    `INSERT INTO notificationsystem (part, value) VALUES ('major', 3), ('minor', 0)
     ON CONFLICT (part) DO UPDATE SET value = excluded.value`,
  )
}

export interface Counts {
  readonly events: number
  readonly subscriptions: number
  readonly enabled: number
}

/** Of tables that may be missing. */
export async function countRows(sql: Sql): Promise<Counts> {
  const live = await count(sql, 'eventmatch', 'disabled IS NULL AND deleted IS NULL')
  return {
    events: await count(sql, 'eventlog', 'true'),
    subscriptions: await count(sql, 'eventmatch', 'true'),
    enabled: live,
  }
}

async function count(sql: Sql, table: string, which: string): Promise<number> {
  if (!(await isThere(sql, table))) return 0
  const [row] = await sql.query<{ it: number }>(
    `SELECT count(*) AS it FROM ${table} WHERE ${which}`,
  )
  return row?.it ?? 0
}

async function isThere(sql: Sql, table: string): Promise<boolean> {
  return (await tablesThere(sql, [table])).length > 0
}
