/**
 * The tables of the Python service, schema 3.0, column by column: what an older database is brought to before our own
 * migrations run. A test holds this against the first migration, which makes the same tables.
 *
 * What older schemas were like, as far as public sources tell (the tool is guided by the columns that are there, not by
 * the number that the database gives itself):
 * - 0.0, no `notificationsystem`: `eventmatch` alone; releases up to 0.2.3 without `auth`, the earliest without
 *   `version` and `extensions` too. Before the first release it had no `target_url`: that cannot be upgraded.
 * - 1.0, 2.0: what each of them added is not known; by 3.0 there were `auth`, `eventlog` and `eventlogmatch`. Any of
 *   these may be missing, or be of another text type.
 */

export interface ColumnSpec {
  readonly type: string
  readonly notNull?: true
  /** SQL: what rows get that have no value. Without it a NOT NULL column cannot be made up. */
  readonly fill?: string
}

export interface TableSpec {
  readonly columns: Readonly<Record<string, ColumnSpec>>
  readonly primaryKey: string
  readonly indexes: readonly string[]
  readonly foreignKeys?: Readonly<Record<string, string>>
}

const uuid = { type: 'uuid', notNull: true } as const
const name = { type: 'character varying(255)', notNull: true } as const
const text = { type: 'text', notNull: true } as const
const moment = { type: 'timestamp without time zone' } as const

export const PYTHON_3_0: Readonly<Record<string, TableSpec>> = {
  eventmatch: {
    columns: {
      uuid,
      name,
      jsonpath: text,
      user: name,
      disabled: moment,
      error: { type: 'text' },
      target_url: text,
      version: { ...name, fill: "'v0.1'" },
      extensions: { ...text, fill: "'{}'" },
      auth: { type: 'text' },
      created: { ...moment, notNull: true },
      updated: { ...moment, notNull: true, fill: 'created' },
      deleted: moment,
    },
    primaryKey: 'uuid',
    indexes: ['name', 'user', 'disabled', 'created', 'updated', 'deleted'],
  },
  eventlog: {
    columns: { uuid, jsondata: text, created: { ...moment, notNull: true } },
    primaryKey: 'uuid',
    indexes: ['created'],
  },
  eventlogmatch: {
    columns: {
      uuid,
      event_log_id: uuid,
      event_match_id: uuid,
      policy_status_code: { ...name, fill: "''" },
      policy_resp_body: { ...text, fill: "''" },
      target_status_code: { type: 'character varying(255)' },
      target_resp_body: { type: 'text' },
      created: { ...moment, notNull: true },
    },
    primaryKey: 'uuid',
    indexes: ['event_log_id', 'event_match_id', 'created'],
    foreignKeys: { event_log_id: 'eventlog', event_match_id: 'eventmatch' },
  },
  notificationsystem: {
    columns: { part: name, value: { type: 'integer', notNull: true, fill: '0' } },
    primaryKey: 'part',
    indexes: [],
  },
}
