/** The files of existing sites, as the Python service's documentation has them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@pacifica/platform'
import { afterAll, expect, test } from 'vitest'
import { readNotificationsConfig } from './config.ts'
import { findSources } from './config-sources.ts'
import { notesOnSettings } from './notes.ts'

const home = mkdtempSync(join(tmpdir(), 'pacifica-config-'))
afterAll(() => rmSync(home, { recursive: true }))

/** docs/configuration.md of pacifica-notifications, verbatim. */
const DOCUMENTED_INI = `[notifications]
; This section describes notification specific configurations

; The policy server endpoint to query
policy_url = http://127.0.0.1:8181

[celery]
; This section contains celery messaging configuration

; The broker url is how messages get passed around
broker_url = pyamqp://

; The backend url is how return results are sent around
backend_url = rpc://

[database]
; This section contains database connection configuration

; peewee_url is defined as the URL PeeWee can consume.
; http://docs.peewee-orm.com/en/latest/peewee/database.html#connecting-using-a-database-url
peewee_url = sqliteext:///db.sqlite3

; connect_attempts are the number of times the service will attempt to
; connect to the database if unavailable.
connect_attempts = 10

; connect_wait are the number of seconds the service will wait between
; connection attempts until a successful connection to the database.
connect_wait = 20
`

/** The same place, verbatim. */
const DOCUMENTED_CHERRYPY = `[global]
log.screen: True
log.access_file: 'access.log'
log.error_file: 'error.log'
server.socket_host: '0.0.0.0'
server.socket_port: 8070

[/]
request.dispatch: cherrypy.dispatch.MethodDispatcher()
tools.response_headers.on: True
tools.response_headers.headers: [('Content-Type', 'application/json')]
`

function file(name: string, text: string): string {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

function read(env: Record<string, string>, files: { config?: string; cpconfig?: string } = {}) {
  return readNotificationsConfig(findSources(env, { ...files, home }).sources)
}

function mistakes(...args: Parameters<typeof read>): string[] {
  try {
    read(...args)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const config = file('config.ini', DOCUMENTED_INI)
const onPostgres = file(
  'postgres.ini',
  DOCUMENTED_INI.replace('sqliteext:///db.sqlite3', 'postgresext://me:pw@db/notifications'),
)
const cpconfig = file('server.conf', DOCUMENTED_CHERRYPY)

test('of the documented INI file, the line that has to change is named', () => {
  expect(mistakes({}, { config })).toEqual([
    `[database] peewee_url, line 21 of ${config}: SQLite is not used: name a PostgreSQL database (postgresql://user:password@host:5432/database), or remove the line to have an embedded one in DATA_DIR; "switch from the Python service" in the guides says how to take the rows along`,
  ])
})

test('with that line changed it starts the service, and says what of it is ignored', () => {
  const settings = read({}, { config: onPostgres })
  expect(settings).toMatchObject({
    databaseUrl: 'postgresext://me:pw@db/notifications',
    databaseConnectAttempts: 10,
    databaseConnectWaitMs: 20_000,
    brokerUrl: 'pyamqp://',
  })
  expect(String(settings.policyUrl)).toBe('http://127.0.0.1:8181/')
  expect(notesOnSettings(settings)[0]).toMatch(/^backend_url is ignored/)
})

test('with that line removed the database is embedded', () => {
  const embedded = file('embedded.ini', DOCUMENTED_INI.replace(/peewee_url =.*\n/, ''))
  expect(read({}, { config: embedded }).databaseUrl).toBeUndefined()
})

test('of the documented CherryPy file, address and port are taken, and the line is named that opens the service', () => {
  const env = { RECEIVE_AUTH: 'off' }
  expect(read(env, { config: onPostgres, cpconfig })).toMatchObject({ host: '0.0.0.0', port: 8070 })
  expect(mistakes({}, { config: onPostgres, cpconfig })).toEqual([
    `RECEIVE_AUTH: not set, and the service listens on 0.0.0.0 ([global] server.socket_host, line 5 of ${cpconfig}), where anybody could post events: name a file of credentials, or say off`,
  ])
})

test('the environment wins over both files', () => {
  const env = { NOTIFICATIONS_HOST: '127.0.0.1', NOTIFICATIONS_PORT: '9', POLICY_URL: 'allow-all' }
  expect(read(env, { config: onPostgres, cpconfig })).toMatchObject({
    host: '127.0.0.1',
    port: 9,
    policyUrl: 'allow-all',
  })
})

test('the files are also found where the environment names them, and in the usual folder', () => {
  const named = { NOTIFICATIONS_CONFIG: onPostgres, NOTIFICATIONS_CPCONFIG: cpconfig }
  expect(read({ ...named, RECEIVE_AUTH: 'off' })).toMatchObject({ host: '0.0.0.0' })
  const usual = join(home, '.pacifica-notifications')
  expect(findSources({}, { home }).notes).toEqual([])
  expect(mistakes({ NOTIFICATIONS_CONFIG: usual })[0]).toMatch(/cannot be read: ENOENT/)
})

test('later versions of the INI file have a user header and a default user', () => {
  const text = `[DEFAULT]\ndefault_user = ann\n[notifications]\nuser_header = X-User\npolicy_url = http://p\n`
  const path = file('later.ini', text)
  expect(read({}, { config: path })).toMatchObject({ userHeader: 'X-User', defaultUser: 'ann' })
})

test('an unknown key is a mistake, with a guess and its line', () => {
  const path = file('unknown.ini', '[notifications]\npolicy_ulr = http://p\n')
  expect(mistakes({}, { config: path })).toEqual([
    'POLICY_URL: not set: expected http://… or https://… or allow-all',
    `[notifications] policy_ulr, line 2 of ${path}: unknown: did you mean notifications.policy_url?`,
  ])
})

test.each([
  'postgres://me:pw@db/n',
  'postgresql://db/n',
  'postgresql+pool://me:pw@db:5433/n?max_connections=20&stale_timeout=300',
  'postgresext://me@db/n',
  'postgresext+pool://db/n',
])('%s is taken as it is', (url) => {
  expect(read({ POLICY_URL: 'allow-all', PEEWEE_URL: url }).databaseUrl).toBe(url)
})

test.each([
  ['PEEWEE_URL', 'sqlite:///db.sqlite3', /SQLite is not used/],
  ['DATABASE_URL', 'sqlite+pool:///db', /SQLite is not used/],
  ['PEEWEE_URL', 'mysql://me:hunter2@db/n', /MySQL is not used/],
  ['PEEWEE_URL', 'oracle://me:hunter2@db', /its value is not right: expected postgresql:/],
  ['BROKER_URL', 'redis://:hunter2@redis:6379/0', /only RabbitMQ will do/],
  ['BROKER_URL', 'sqs://hunter2@', /only RabbitMQ will do/],
  ['BROKER_URL', 'rabbit', /is no URL/],
])('%s=%s ends with what to do, and shows no password', (name, value, advice) => {
  const [only, ...others] = mistakes({ POLICY_URL: 'allow-all', [name]: value })
  expect(only).toMatch(advice)
  expect(only).not.toContain('hunter2')
  expect(others).toEqual([])
})
