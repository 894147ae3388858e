/** For tests: databases as the Python service made them, by SQL as peewee writes it. */

const EVENTMATCH_0_0 = `
  CREATE TABLE "eventmatch" ("uuid" UUID NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL, "jsonpath" TEXT NOT NULL,
    "user" VARCHAR(255) NOT NULL, "disabled" TIMESTAMP, "error" TEXT, "target_url" TEXT NOT NULL,
    "created" TIMESTAMP NOT NULL, "updated" TIMESTAMP NOT NULL, "deleted" TIMESTAMP);
  CREATE INDEX "eventmatch_name" ON "eventmatch" ("name");
  CREATE INDEX "eventmatch_user" ON "eventmatch" ("user");
  CREATE INDEX "eventmatch_disabled" ON "eventmatch" ("disabled");
  CREATE INDEX "eventmatch_created" ON "eventmatch" ("created");
  CREATE INDEX "eventmatch_updated" ON "eventmatch" ("updated");
  CREATE INDEX "eventmatch_deleted" ON "eventmatch" ("deleted");`

const VERSION_AND_EXTENSIONS = `
  ALTER TABLE "eventmatch" ADD COLUMN "version" VARCHAR(255);
  UPDATE "eventmatch" SET "version" = 'v0.1';
  ALTER TABLE "eventmatch" ALTER COLUMN "version" SET NOT NULL;
  ALTER TABLE "eventmatch" ADD COLUMN "extensions" TEXT;
  UPDATE "eventmatch" SET "extensions" = '{}';
  ALTER TABLE "eventmatch" ALTER COLUMN "extensions" SET NOT NULL;`

const AUTH = 'ALTER TABLE "eventmatch" ADD COLUMN "auth" TEXT;'

const EVENTLOG = `
  CREATE TABLE "eventlog" ("uuid" UUID NOT NULL PRIMARY KEY, "jsondata" TEXT NOT NULL, "created" TIMESTAMP NOT NULL);
  CREATE INDEX "eventlog_created" ON "eventlog" ("created");`

const EVENTLOGMATCH = `
  CREATE TABLE "eventlogmatch" ("uuid" UUID NOT NULL PRIMARY KEY, "event_log_id" UUID NOT NULL,
    "event_match_id" UUID NOT NULL, "policy_status_code" VARCHAR(255) NOT NULL, "policy_resp_body" TEXT NOT NULL,
    "target_status_code" VARCHAR(255), "target_resp_body" TEXT, "created" TIMESTAMP NOT NULL,
    FOREIGN KEY ("event_log_id") REFERENCES "eventlog" ("uuid"),
    FOREIGN KEY ("event_match_id") REFERENCES "eventmatch" ("uuid"));
  CREATE INDEX "eventlogmatch_event_log_id" ON "eventlogmatch" ("event_log_id");
  CREATE INDEX "eventlogmatch_event_match_id" ON "eventlogmatch" ("event_match_id");
  CREATE INDEX "eventlogmatch_created" ON "eventlogmatch" ("created");`

const system = (major: number) => `
  CREATE TABLE "notificationsystem" ("part" VARCHAR(255) NOT NULL PRIMARY KEY, "value" INTEGER NOT NULL);
  INSERT INTO "notificationsystem" VALUES ('major', ${major}), ('minor', 0);`

/** 1.0 and 2.0 are guesses: see python-schema.ts. */
export const PYTHON_DATABASES: Readonly<Record<string, string>> = {
  'the earliest releases': EVENTMATCH_0_0,
  '0.0': EVENTMATCH_0_0 + VERSION_AND_EXTENSIONS,
  '1.0': EVENTMATCH_0_0 + VERSION_AND_EXTENSIONS + AUTH + system(1),
  '2.0': EVENTMATCH_0_0 + VERSION_AND_EXTENSIONS + AUTH + EVENTLOG + system(2),
  '3.0': EVENTMATCH_0_0 + VERSION_AND_EXTENSIONS + AUTH + EVENTLOG + EVENTLOGMATCH + system(3),
}

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** The subscriptions by what is particular about them. */
export const IDS = {
  plain: uuid(1),
  nullAuth: uuid(2),
  basic: uuid(3),
  userinfo: uuid(4),
  deleted: uuid(5),
  disabled: uuid(6),
  unparsable: uuid(7),
  backslash: uuid(8),
  event: uuid(101),
  oldestEvent: uuid(102),
  unreadableEvent: uuid(103),
}

const literal = (value: string | null) =>
  value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
const insert = (table: string, row: Readonly<Record<string, string | null>>) => {
  const columns = Object.keys(row).map((name) => `"${name}"`)
  return `INSERT INTO "${table}" (${columns.join(', ')}) VALUES (${Object.values(row).map(literal).join(', ')});`
}

/** Subscriptions of every kind, for a database with the columns of 0.0 and later. */
export function pythonSubscriptions(target: string, columns: { readonly auth: boolean }): string {
  const base = {
    name: 'n',
    user: 'dmlb2001',
    jsonpath: '$["data"]',
    target_url: target,
    version: 'v0.1',
    extensions: '{"site": "a"}',
    created: '2019-07-01 12:00:00.123456',
    updated: '2019-12-01 12:00:00',
  }
  const auth = (value: string | null) => (columns.auth ? { auth: value } : {})
  const basic = '{"type": "basic", "basic": {"username": "me", "password": "hunter2"}}'
  const withUser = target.replace('http://', 'http://you:p%40ss@')
  const rows = [
    { ...base, uuid: IDS.plain, ...auth('{}') },
    { ...base, uuid: IDS.nullAuth, ...auth(null) },
    { ...base, uuid: IDS.basic, ...auth(basic) },
    { ...base, uuid: IDS.userinfo, target_url: withUser, ...auth('{}') },
    { ...base, uuid: IDS.deleted, deleted: '2019-08-01 00:00:00', ...auth(basic) },
    { ...base, uuid: IDS.disabled, disabled: '2019-08-02 00:00:00', error: '500', ...auth('{}') },
    { ...base, uuid: IDS.unparsable, jsonpath: '$[?(@.a == 1)]', ...auth('{}') },
    {
      ...base,
      uuid: IDS.backslash,
      jsonpath: '$[?(@.eventType = "a\\"b" or @.data)]',
      ...auth('{}'),
    },
  ]
  return rows.map((row) => insert('eventmatch', row)).join('\n')
}

/** Events, and what Python noted of their deliveries: one pair twice, as a retry leaves it. */
export function pythonEvents(columns: { readonly matches: boolean }): string {
  const event = `{"cloudEventsVersion": "0.1", "eventType": "org.pacifica.metadata.ingest", "source": "/pacifica/metadata/ingest", "eventID": "metadata.ingest.1", "eventTime": "2019-07-01T12:00:00", "extensions": {}, "contentType": "application/json", "data": [{"destinationTable": "Transactions._id", "value": 1}]}`
  const events = [
    insert('eventlog', { uuid: IDS.event, jsondata: event, created: '2019-07-01 12:00:00' }),
    insert('eventlog', { uuid: IDS.oldestEvent, jsondata: event, created: '2019-01-01 12:00:00' }),
    insert('eventlog', {
      uuid: IDS.unreadableEvent,
      jsondata: '[NaN]',
      created: '2019-07-01 13:00:00',
    }),
  ]
  const match = (n: number) =>
    insert('eventlogmatch', {
      uuid: uuid(200 + n),
      event_log_id: IDS.event,
      event_match_id: IDS.plain,
      policy_status_code: '200',
      policy_resp_body: '{"status": "success"}',
      target_status_code: n === 1 ? '200' : null,
      target_resp_body: n === 1 ? 'ok' : null,
      created: `2019-07-01 12:00:0${n}`,
    })
  return [...events, ...(columns.matches ? [match(1), match(2)] : [])].join('\n')
}
