/**
 * `dbsync --back`: gives the tables back to the Python service as its schema 3.0 has them, in one transaction. What we
 * delivered becomes rows of `eventlogmatch`; subscriptions that Python cannot serve are disabled with the reason; our
 * own tables and columns go.
 */
import { type Database, lockMigrations, type Sql } from '@pacifica/platform'
import type { Auth } from '../../subscriptions/secrets.ts'
import { whoseTables } from '../migrations.ts'
import { UpgradeError } from './errors.ts'
import { type MadeByUs, readMadeByUs } from './made-by-us.ts'
import { PYTHON_3_0 } from './python-schema.ts'
import { knownZone, limitWaiting, useZone } from './steps.ts'

export interface GiveBackOptions {
  /** Times are written as naive times of this zone. */
  readonly timezone: string
  readonly dryRun?: boolean
  /** Give back although something still waits: it will never be delivered. */
  readonly abandonPending?: boolean
}

export interface GiveBackNeeds {
  /** The `auth` of a subscription with its secrets plain. */
  readonly open: (stored: { uuid: string; auth: string }) => Auth
}

export interface GiveBackReport {
  readonly timezone: string
  readonly pendingEvents: number
  readonly pendingDeliveries: number
  /** Subscriptions that the Python service cannot serve. */
  readonly disabled: number
}

/** @throws UpgradeError: nothing was changed */
export async function giveBack(
  database: Database,
  needs: GiveBackNeeds,
  options: GiveBackOptions,
): Promise<GiveBackReport> {
  const made = await readMadeByUs()
  return database.transaction(async (sql) => {
    if (!options.dryRun) await lockMigrations(sql)
    if ((await whoseTables(sql)) !== 'ours')
      throw new UpgradeError(
        'There is nothing to give back: these are not the tables of this service',
      )
    const report = await lookAtPending(sql, await knownZone(sql, options.timezone))
    if (options.dryRun) return report
    if (report.pendingEvents + report.pendingDeliveries > 0 && !options.abandonPending)
      throw new UpgradeError(
        `${report.pendingEvents} events and ${report.pendingDeliveries} deliveries still wait: let the service finish them (with ROLES=match,deliver it takes nothing new), or give them up with --abandon-pending`,
      )
    if (!options.abandonPending) await refuseDeadLetters(sql)
    await limitWaiting(sql)
    await useZone(sql, report.timezone)
    await openSecrets(sql, needs)
    await sql.query(noteDeliveries)
    await sql.query(disableForeign)
    for (const statement of statementsBack(made)) await sql.query(statement)
    await forgetMigrations(sql, made.migrations)
    return report
  })
}

const FOREIGN = `(target_url !~* '^https?://' OR dialect <> 'jsonpath2')`

async function lookAtPending(sql: Sql, timezone: string): Promise<GiveBackReport> {
  const [counts] = await sql.query<Omit<GiveBackReport, 'timezone'>>(`
    SELECT (SELECT count(*) FROM event_state WHERE state <> 'matched') AS "pendingEvents",
           (SELECT count(*) FROM delivery
            WHERE state IN ('pending', 'delivering', 'retrying', 'held')) AS "pendingDeliveries",
           (SELECT count(*) FROM eventmatch
            WHERE disabled IS NULL AND deleted IS NULL AND ${FOREIGN}) AS disabled`)
  return { timezone, ...(counts ?? { pendingEvents: 0, pendingDeliveries: 0, disabled: 0 }) }
}

/** They would go with their table. */
async function refuseDeadLetters(sql: Sql): Promise<void> {
  const [row] = await sql.query<{ letters: number }>(
    `SELECT count(*) AS letters FROM dead_letter WHERE state = 'dead'`,
  )
  if (row !== undefined && row.letters > 0)
    throw new UpgradeError(
      `${row.letters} dead letters wait for a decision (deadget lists them): send them again or put them away, or give them up with --abandon-pending`,
    )
}

async function openSecrets(sql: Sql, needs: GiveBackNeeds): Promise<void> {
  const rows = await sql.query<{ uuid: string; auth: string }>(
    `SELECT uuid, auth FROM eventmatch WHERE auth <> '{}'`,
  )
  await sql.query(
    `UPDATE eventmatch m SET auth = u.auth FROM unnest($1::uuid[], $2::text[]) AS u (uuid, auth)
     WHERE m.uuid = u.uuid`,
    [rows.map(({ uuid }) => uuid), rows.map((row) => JSON.stringify(needs.open(row)))],
  )
}

const noteDeliveries = `
  INSERT INTO eventlogmatch (uuid, event_log_id, event_match_id, policy_status_code, policy_resp_body,
                             target_status_code, target_resp_body, created)
  SELECT d.uuid, d.event, d.subscription, coalesce(p.status_code::text, ''), coalesce(p.body, ''),
         a.status_code::text, coalesce(a.body, a.error), d.created
  FROM delivery d LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner
  CROSS JOIN LATERAL (SELECT * FROM attempt WHERE delivery = d.uuid ORDER BY id DESC LIMIT 1) AS a
  ON CONFLICT (uuid) DO NOTHING`

const disableForeign = `
  UPDATE eventmatch SET disabled = now(), error = 'the Python service cannot serve this target or dialect'
  WHERE disabled IS NULL AND deleted IS NULL AND ${FOREIGN}`

function statementsBack(made: MadeByUs): string[] {
  return [
    ...made.functions.map((name) => `DROP FUNCTION "${name}" CASCADE`), // and its triggers
    ...made.tables.map((table) => `DROP TABLE "${table}" CASCADE`),
    ...made.columns.map(
      ({ table, column }) => `ALTER TABLE "${table}" DROP COLUMN IF EXISTS "${column}"`,
    ),
    ...Object.entries(PYTHON_3_0).flatMap(([table, { columns }]) =>
      Object.entries(columns).flatMap(([name, { type, notNull }]) => {
        const alter = `ALTER TABLE "${table}" ALTER COLUMN "${name}"`
        return [
          `${alter} DROP DEFAULT`,
          ...(type.startsWith('timestamp') ? [`${alter} TYPE ${type}`] : []),
          ...(notNull ? [] : [`${alter} DROP NOT NULL`]),
        ]
      }),
    ),
    `UPDATE notificationsystem SET value = CASE part WHEN 'major' THEN 3 ELSE 0 END WHERE part IN ('major', 'minor')`,
  ]
}

/** The table of migrations may hold another service's too. */
async function forgetMigrations(sql: Sql, names: readonly string[]): Promise<void> {
  await sql.query('DELETE FROM "_prisma_migrations" WHERE migration_name = ANY($1)', [names])
  const [row] = await sql.query<{ empty: boolean }>(
    'SELECT NOT EXISTS (SELECT FROM "_prisma_migrations") AS empty',
  )
  if (row?.empty) await sql.query('DROP TABLE "_prisma_migrations"')
}
