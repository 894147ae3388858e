import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, expectTypeOf, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { type ConfigSources, readConfig, type Settings } from './read-config.ts'
import { setting } from './setting.ts'
import { settingsTable } from './settings-table.ts'

const folder = mkdtempSync(join(tmpdir(), 'pacifica-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const doc = 'what it is for'

const settings = {
  host: setting.text('NOTIFICATIONS_HOST', { default: '127.0.0.1', doc }),
  port: setting.port('NOTIFICATIONS_PORT', { default: 8070, doc, ini: 'server.port' }),
  database: setting.url('DATABASE_URL', { doc, secret: true, aliases: ['PEEWEE_URL'] }),
  policy: setting.url('POLICY_URL', { doc, protocols: ['http:', 'https:'], or: ['allow-all'] }),
  policyTtl: setting.duration('POLICY_TTL', { default: '10min', doc }),
  retention: setting.duration('RETENTION', { doc, max: Number.MAX_SAFE_INTEGER }),
  maxBody: setting.size('MAX_BODY', { default: '32MiB', doc }),
  attempts: setting.integer('DELIVERY_MAX_ATTEMPTS', { default: 10, min: 1, doc }),
  roles: setting.list('ROLES', { values: ['api', 'match'], default: 'api,match', doc }),
  allow: setting.cidrs('TARGET_ALLOW', { doc }),
  level: setting.oneOf('LOG_LEVEL', { values: ['info', 'debug'], default: 'info', doc }),
  quiet: setting.flag('QUIET', { default: false, doc }),
  token: setting.secret('API_TOKEN', { doc }),
  key: setting.secretFile('SECRET_KEY_FILE', { doc }),
  name: setting.text('DISPATCHER_NAME', {
    doc,
    check: (value) => (/^[a-z]+$/.test(value) ? undefined : 'only a to z'),
  }),
}

function read(env: Record<string, string>, more: Partial<ConfigSources> = {}) {
  return readConfig(settings, { env, ...more })
}

function mistakes(of: Settings, sources: ConfigSources): string[] {
  try {
    readConfig(of, sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

test('without anything set the defaults hold, and what has none is undefined', () => {
  expect(read({})).toEqual({
    host: '127.0.0.1',
    port: 8070,
    database: undefined,
    policy: undefined,
    policyTtl: 600_000,
    retention: undefined,
    maxBody: 33_554_432,
    attempts: 10,
    roles: ['api', 'match'],
    allow: undefined,
    level: 'info',
    quiet: false,
    token: undefined,
    key: undefined,
    name: undefined,
  })
})

test('the types follow from the declarations', () => {
  const config = read({})
  expectTypeOf(config.host).toEqualTypeOf<string>()
  expectTypeOf(config.port).toEqualTypeOf<number>()
  expectTypeOf(config.policy).toEqualTypeOf<URL | 'allow-all' | undefined>()
  expectTypeOf(config.database).toEqualTypeOf<URL | undefined>()
  expectTypeOf(config.roles).toEqualTypeOf<('api' | 'match')[]>()
  expectTypeOf(config.level).toEqualTypeOf<'info' | 'debug'>()
  expectTypeOf(config.token).toEqualTypeOf<string | undefined>()
  const needed = { a: setting.secret('A', { doc, required: true }), b: setting.list('B', { doc }) }
  const read2 = readConfig(needed, { env: { A: 'x' } })
  expectTypeOf(read2.a).toEqualTypeOf<string>()
  expectTypeOf(read2.b).toEqualTypeOf<string[] | undefined>()
})

test('the environment wins over the INI file, which wins over the default', () => {
  const ini = { file: 'site.ini', sections: { server: { port: '9000' } } }
  expect(read({}, { ini }).port).toBe(9000)
  expect(read({ NOTIFICATIONS_PORT: '9001' }, { ini }).port).toBe(9001)
})

test('values are read by their kind', () => {
  const config = read({
    POLICY_URL: 'allow-all',
    ROLES: 'match, match',
    TARGET_ALLOW: '10.0.0.0/8, ::1, fd00::/8',
    QUIET: 'yes',
    RETENTION: '365d',
    PEEWEE_URL: 'postgres://u:p@db/pacifica',
  })
  expect(config.policy).toBe('allow-all')
  expect(config.roles).toEqual(['match'])
  expect(config.allow).toEqual(['10.0.0.0/8', '::1', 'fd00::/8'])
  expect(config.quiet).toBe(true)
  expect(config.retention).toBe(365 * 86_400_000)
  expect(config.database?.hostname).toBe('db')
})

test('a list whose default is empty is an empty list', () => {
  const of = { deny: setting.cidrs('TARGET_DENY', { doc, default: '' }) }
  expect(readConfig(of, { env: {} }).deny).toEqual([])
  expect(settingsTable(of)).toContain('| `TARGET_DENY` | none |')
})

test('an empty variable is not set', () => {
  expect(read({ NOTIFICATIONS_PORT: '', POLICY_URL: ' ' })).toMatchObject({ port: 8070 })
})

test('all mistakes come at once, each one line with the variable, the value and what is expected', () => {
  const env = {
    NOTIFICATIONS_PORT: '80700',
    POLICY_URL: 'ftp://policy',
    POLICY_TTL: 'soon',
    MAX_BODY: '32M',
    DELIVERY_MAX_ATTEMPTS: '0',
    ROLES: 'api,mtach',
    TARGET_ALLOW: '10.0.0.0/33',
    LOG_LEVEL: 'loud',
    QUIET: 'perhaps',
    DISPATCHER_NAME: 'My Name',
  }
  expect(mistakes(settings, { env })).toEqual([
    'NOTIFICATIONS_PORT: "80700" is not right: expected a port from 0 to 65535',
    'POLICY_URL: "ftp://policy" is not right: expected http://… or https://… or allow-all',
    'POLICY_TTL: "soon" is not right: expected a duration such as 500ms, 30s, 10min, 24h or 5d',
    'MAX_BODY: "32M" is not right: expected a size such as 64KiB, 32MiB or 1GB',
    'DELIVERY_MAX_ATTEMPTS: "0" is not right: expected a whole number, at least 1',
    'ROLES: "api,mtach" is not right (unknown: mtach): expected a list of api, match',
    'TARGET_ALLOW: "10.0.0.0/33" is not right (no network: 10.0.0.0/33): expected networks such as 10.0.0.0/8,fd00::/8, or single addresses',
    'LOG_LEVEL: "loud" is not right: expected one of info, debug',
    'QUIET: "perhaps" is not right: expected yes or no',
    'DISPATCHER_NAME: "My Name" is not right (only a to z): expected a text',
  ])
})

test('no secret is in a mistake: neither a secret setting nor the password of a URL', () => {
  const of = {
    token: setting.of(
      'API_TOKEN',
      { expects: 'a token', parse: (text) => ({ wrong: `not ${text}` }) },
      { doc, secret: true },
    ),
    database: setting.url('DATABASE_URL', { doc, protocols: ['postgresql:'] }),
    broker: setting.url('BROKER_URL', { doc }),
  }
  const env = {
    API_TOKEN: 'hunter2',
    DATABASE_URL: 'mysql://u:hunter2@db/x',
    BROKER_URL: 'u:hunter2@ mq',
  }
  const said = mistakes(of, { env })
  expect(said).toHaveLength(3)
  expect(said.join('\n')).not.toContain('hunter2')
  expect(said[1]).toContain('mysql://***@db/x')
})

test('a secret is read from the file that NAME_FILE names', () => {
  const file = join(folder, 'token')
  writeFileSync(file, 's3cret\n')
  expect(read({ API_TOKEN_FILE: file }).token).toBe('s3cret')
  expect(read({ SECRET_KEY_FILE: file }).key).toBe('s3cret')
  writeFileSync(file, 'postgres://u:p@db/x')
  expect(read({ DATABASE_URL_FILE: file }).database?.username).toBe('u')
})

test('a secret file that is missing or empty, and a secret given twice, are mistakes', () => {
  const file = join(folder, 'empty')
  writeFileSync(file, '\n')
  const env = { SECRET_KEY_FILE: join(folder, 'none'), API_TOKEN: 'a', API_TOKEN_FILE: file }
  expect(mistakes(settings, { env })).toEqual([
    'API_TOKEN: API_TOKEN_FILE is set too: keep one of them',
    expect.stringMatching(/^SECRET_KEY_FILE: the file cannot be read: ENOENT/),
  ])
  expect(mistakes(settings, { env: { API_TOKEN_FILE: file } })).toEqual([
    `API_TOKEN_FILE: the file ${file} is empty`,
  ])
})

test('what is required and not set is a mistake', () => {
  const of = { url: setting.url('CARTD_URL', { doc, required: true }) }
  expect(mistakes(of, { env: {} })).toEqual(['CARTD_URL: not set: expected a URL'])
})

test('an unknown variable with one of our prefixes is a mistake, with a guess', () => {
  const env = {
    NOTIFICATIONS_PROT: '1',
    NOTIFICATIONS_COLOUR_OF_THE_SKY: 'blue',
    DISPATCHER_NAME: 'x',
    DISPATCHER_PORT: '1',
    HOME: '/root',
  }
  const prefixes = ['NOTIFICATIONS_', 'DISPATCHER_']
  expect(mistakes(settings, { env, prefixes, alsoKnown: ['DISPATCHER_PORT'] })).toEqual([
    'NOTIFICATIONS_PROT: unknown: did you mean NOTIFICATIONS_PORT?',
    'NOTIFICATIONS_COLOUR_OF_THE_SKY: there is no such setting',
  ])
})

test('what Kubernetes puts into the environment for a Service of our name does not stop the start, or says how', () => {
  const env = {
    NOTIFICATIONS_SERVICE_HOST: '10.0.0.1',
    NOTIFICATIONS_SERVICE_PORT_HTTP: '8070',
    NOTIFICATIONS_PORT_8070_TCP_ADDR: '10.0.0.1',
    NOTIFICATIONS_PORT: 'tcp://10.0.0.1:8070',
  }
  expect(mistakes(settings, { env, prefixes: ['NOTIFICATIONS_'] })).toEqual([
    'NOTIFICATIONS_PORT: "tcp://10.0.0.1:8070" is not right (an address, as Kubernetes sets it: use enableServiceLinks: false): expected a port from 0 to 65535',
  ])
})

test('a bad value and an unknown key in the INI file are named with their place', () => {
  const ini = { file: 'site.ini', sections: { server: { port: 'x', prot: '1' } } }
  expect(mistakes(settings, { env: {}, ini })).toEqual([
    '[server] port in site.ini: "x" is not right: expected a port from 0 to 65535',
    '[server] prot in site.ini: unknown: did you mean server.port?',
  ])
})

test('a duration longer than a timer can wait is a mistake unless the setting allows it', () => {
  expect(mistakes(settings, { env: { POLICY_TTL: '30d' } })[0]).toContain(
    'longer than 2147483.647s',
  )
})

test('the table for the docs comes from the same declarations', () => {
  const table = settingsTable(settings)
  expect(table).toContain(
    '| `NOTIFICATIONS_PORT`; INI `server.port` | `8070` | a port from 0 to 65535 |',
  )
  expect(table).toContain('| `DATABASE_URL`, `DATABASE_URL_FILE`, `PEEWEE_URL` | none | a URL |')
  expect(table).toContain('| `QUIET` | `no` |')
})
