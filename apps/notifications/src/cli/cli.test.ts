/** pacifica-notifications-cmd, from its words to its output and exit code. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createTestDatabase,
  IDS,
  PYTHON_DATABASES,
  pythonEvents,
  pythonSubscriptions,
  silentLog,
} from '../../../../test/harness/index.ts'
import { socketPath } from './admin-socket.ts'
import { embeddedFolder } from './open.ts'
import { runCli } from './run-cli.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pacifica-cli-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

async function run(env: Record<string, string>, ...argv: string[]) {
  let out = ''
  const errors: string[] = []
  const code = await runCli({
    argv,
    env: { DATA_DIR: join(home, 'nowhere'), ...env },
    home,
    log: silentLog,
    output: {
      async write(text) {
        out += text
      },
    },
    complain: (line) => errors.push(line),
  })
  return { code, out, errors }
}

describe('a site that comes from Python, on PostgreSQL', () => {
  let env: Record<string, string>
  let database: Database
  let drop: () => Promise<void>

  beforeAll(async () => {
    const server = await createTestDatabase()
    drop = server.drop
    env = { PEEWEE_URL: server.url, DATA_DIR: join(home, 'python'), TZ: 'UTC' }
    database = await openDatabase({ log: silentLog }, { url: server.url, folder: 'unused' })
    await database.script(PYTHON_DATABASES['3.0'] ?? '')
    await database.script(pythonSubscriptions('http://example.org/in', { auth: true }))
    await database.script(pythonEvents({ matches: true }))
  }, 180_000)
  afterAll(async () => {
    await database.close()
    await drop()
  })

  test('dbchk ends with 255 and says what to do, until dbsync was run', async () => {
    for (const words of [['dbchk'], ['dbchk', '--equal']])
      expect(await run(env, ...words)).toEqual({
        code: 255,
        out: '',
        errors: ['the tables are those of the Python service: run dbsync'],
      })
    const refused = await run(env, 'eventget')
    expect(refused).toMatchObject({ code: 1, errors: [expect.stringMatching(/^Nothing was done/)] })
  })

  test('dbsync --dry-run says what would be done, and makes no key', async () => {
    const { code, out } = await run(env, 'dbsync', '--timezone', 'Europe/Berlin', '--dry-run')
    expect(code).toBe(0)
    expect(out).toMatch(
      /^Tables of the Python service, schema 3.0: 3 events, 8 subscriptions, 6 of/,
    )
    expect(out).toMatch(/Times are read as Europe\/Berlin/)
    expect(out).toMatch(
      new RegExp(`Subscription ${IDS.unparsable} \\("n" of dmlb2001\\): disabled`),
    )
    expect(out).toMatch(/Nothing was changed \(--dry-run\)\.\n$/)
    await expect(stat(join(home, 'python'))).rejects.toThrow('ENOENT')
    expect(await run(env, 'dbchk')).toMatchObject({ code: 255 })
  })

  test('dbsync upgrades, says where the key is, and has nothing to do the second time', async () => {
    const { code, out } = await run(env, 'dbsync', '--timezone', 'Europe/Berlin')
    expect(code).toBe(0)
    const key = join(home, 'python', 'notifications', 'secret.key')
    expect(out).toContain(`Secrets sealed: 3. The service needs the key in ${key}\n`)
    expect((await stat(key)).mode & 0o777).toBe(0o600)
    const [row] = await database.query<{ auth: string }>(
      `SELECT auth FROM eventmatch WHERE uuid = '${IDS.basic}'`,
    )
    expect(row?.auth).toMatch(/"password":"sealed:v1:/)
    expect(await run(env, 'dbsync')).toEqual({
      code: 0,
      out: 'The tables are up to date.\n',
      errors: [],
    })
    expect(await run(env, 'dbchk')).toMatchObject({ code: 0 })
    expect(await run(env, 'dbchk', '--equal')).toMatchObject({ code: 0 })
  })

  test('tables of a later version will do, but are not equal', async () => {
    await database.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '2999_later', now())`,
    )
    expect(await run(env, 'dbchk')).toMatchObject({ code: 0 })
    expect(await run(env, 'dbchk', '--equal')).toMatchObject({
      code: 255,
      errors: ['the tables are those of a later version: 2999_later'],
    })
    await database.query(`DELETE FROM "_prisma_migrations" WHERE id = 'x'`)
  })

  test('eventget prints events in the form that Python has', async () => {
    const { code, out } = await run(env, 'eventget', IDS.event.toUpperCase())
    expect(code).toBe(0)
    expect(out).toMatch(
      /^Event - 00000000-0000-4000-8000-000000000101\n\{"cloudEventsVersion": "0.1", .*\}\n/,
    )
    expect(out.split('\n').slice(2)).toEqual([
      '    ELM 00000000-0000-4000-8000-000000000201 (2019-07-01T10:00:01.000Z) policy 200 target 200',
      '    ELM 00000000-0000-4000-8000-000000000202 (2019-07-01T10:00:02.000Z) policy 200 target None',
      '',
    ])
    const between = ['--start-date', '2019-06-01 00:00:00', '--end-date', '2019-08-01 00:00:00']
    const list = await run(env, 'eventget', ...between, '--limit', '1')
    expect(list.out).toMatch(new RegExp(`^Event - ${IDS.unreadableEvent}\n\\[NaN\\]\n$`))
    expect(await run(env, 'eventget')).toEqual({ code: 0, out: '', errors: [] })
  })

  test('eventget --json gives a list, also of what is no JSON', async () => {
    const between = [
      '--start-date',
      '01.01.2019',
      '--end-date',
      '01.01.2020',
      '--date-format',
      '%d.%m.%Y',
    ]
    const { out } = await run(env, 'eventget', ...between, '--json')
    const list = JSON.parse(out)
    expect(list.map(({ uuid }: { uuid: string }) => uuid)).toEqual([
      IDS.unreadableEvent,
      IDS.event,
      IDS.oldestEvent,
    ])
    expect(list[0].event).toBe('[NaN]')
    expect(list[1]).toMatchObject({
      state: 'matched',
      event: { eventID: 'metadata.ingest.1' },
      deliveries: [
        { policy: '200', target: '200', state: 'delivered' },
        { policy: '200', target: null, state: 'failed' },
      ],
    })
    expect((await run(env, 'eventget', '--json')).out).toBe('[\n]\n')
  })

  test('eventretry matches an old event anew, and sends again what was settled', async () => {
    await database.query(
      `INSERT INTO delivery (uuid, event, subscription, owner, state, settled, attempt)
       VALUES ('00000000-0000-4000-8000-000000000400', '${IDS.event}', '${IDS.plain}', 'dmlb2001', 'denied', now(), 1),
              ('00000000-0000-4000-8000-000000000401', '${IDS.event}', '${IDS.deleted}', 'dmlb2001', 'delivered', now(), 1)`,
    )
    await database.query(
      `INSERT INTO policy_answer (event, owner, state, due) VALUES ('${IDS.event}', 'dmlb2001', 'denied', NULL)`,
    )
    const unknown = '00000000-0000-4000-8000-000000000999'
    const { code, out } = await run(env, 'eventretry', IDS.event, IDS.unreadableEvent, unknown)
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      '00000000-0000-4000-8000-000000000400 - pending',
      `Event ${IDS.event} - matched anew`,
      `Event ${IDS.unreadableEvent} - matched anew`,
      `Event ${unknown} - unknown`,
      '',
    ])
    expect(
      await database.query(
        `SELECT s.state AS event, e.digest IS NULL AS "noDigest", d.state, d.replay, d.attempt, p.state AS policy
         FROM eventlog e JOIN event_state s ON s.event = e.uuid JOIN delivery d ON d.event = e.uuid
         JOIN policy_answer p ON p.event = e.uuid
         WHERE d.uuid = '00000000-0000-4000-8000-000000000400'`,
      ),
    ).toEqual([
      { event: 'new', noDigest: false, state: 'pending', replay: 1, attempt: 0, policy: 'asking' },
    ])
  })

  test('eventpurge keeps what waits, until told otherwise', async () => {
    expect(await run(env, 'eventpurge', '--older-than-date', '2199-01-01 00:00:00')).toMatchObject({
      code: 0,
      out: '1 events purged, 2 kept: they still wait\n',
    })
    expect(await run(env, 'eventpurge', IDS.event, '--pending')).toMatchObject({
      out: '1 events purged\n',
    })
    expect((await run(env, 'eventpurge', '--pending')).out).toBe('1 events purged\n')
  })

  test('dbsync --back gives the tables back, with the secrets as they were', async () => {
    const { code, out } = await run(env, 'dbsync', '--back', '--timezone', 'Europe/Berlin')
    expect([code, out]).toEqual([
      0,
      'Tables were given back as schema 3.0 of the Python service; times in Europe/Berlin.\nPending: 0 events, 0 deliveries (given up).\nSubscriptions that Python cannot serve: 0.\n',
    ])
    const [row] = await database.query<{ auth: string }>(
      `SELECT auth FROM eventmatch WHERE uuid = '${IDS.basic}'`,
    )
    expect(JSON.parse(row?.auth ?? '')).toEqual({
      type: 'basic',
      basic: { username: 'me', password: 'hunter2' },
    })
  })
})

describe('words that are wrong', () => {
  test.each([
    [['frobnicate'], 2, /^frobnicate is no command/],
    [['eventget', '--start', 'x'], 2, /^eventget: Unknown option '--start'/],
    [['dbchk', 'x'], 2, /^dbchk: Unexpected argument 'x'/],
    [['eventget', 'x'], 2, /^x is no uuid/],
    [['eventget', '--limit', '0'], 2, /^--limit 0: expected a whole number/],
    [['eventget', '--start-date', 'x'], 1, /^"x" is no time of the form %Y-%m-%d %H:%M:%S/],
    [['eventretry'], 2, /^eventretry needs the uuids/],
    [['deadresend'], 2, /^deadresend needs the uuids of dead letters, or --queue/],
    [['deaddismiss'], 2, /^deaddismiss needs the uuids/],
    [['deadget', '--state', 'x'], 2, /^--state x: expected dead, resent, dismissed or all/],
    [['dbmove'], 2, /^dbmove needs --from DATA_DIR and --to URL/],
    [['dbsync', '--abandon-pending'], 2, /^--abandon-pending goes with --back/],
    [['eventget'], 1, /^There is no database in .*nowhere: set DATA_DIR or DATABASE_URL/],
    [['dbchk'], 255, /^There is no database in/],
    [['-c', '/nonexistent.ini', 'dbchk'], 1, /^\/nonexistent.ini: cannot be read: ENOENT/],
  ])('%j ends with %i', async (words, code, message) => {
    const ended = await run({}, ...words)
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.errors).toEqual([expect.stringMatching(message)])
  })

  test('the start must not be after the end', async () => {
    const dates = ['--start-date', '2020-03-01 00:00:00', '--end-date', '2020-02-01 00:00:00']
    const { code, errors } = await run({}, 'eventget', ...dates)
    expect([code, errors]).toEqual([2, [expect.stringMatching(/is after --end-date 2020-0/)]])
  })

  test('no command, and --help, print the commands', async () => {
    const { code, out } = await run({})
    expect(code).toBe(0)
    for (const name of ['dbsync', 'dbchk', 'dbmove', 'eventget', 'eventpurge', 'eventretry'])
      expect(out).toContain(`\n  ${name} `)
    for (const name of ['deadget', 'deadresend', 'deaddismiss'])
      expect(out).toContain(`\n  ${name} `)
    expect((await run({}, '--help')).out).toBe(out)
    expect((await run({}, 'eventget', '--help')).out).toMatch(/--start-date TIME/)
    expect((await run({}, '--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('-c names an INI file, before or after the command', async () => {
    const file = join(home, 'site.ini')
    await writeFile(file, '[notifications]\npolicy_url = http://p\n')
    for (const words of [
      ['-c', file, 'dbchk'],
      ['dbchk', '-c', file],
    ])
      expect(await run({}, ...words)).toMatchObject({ code: 255 })
    await writeFile(file, '[database]\npeewee_url = sqlite:///x\n')
    expect(await run({}, '-c', file, 'dbchk')).toMatchObject({
      code: 1,
      errors: [expect.stringMatching(/peewee_url, line 2 .*SQLite is not used/)],
    })
  })
})

test('an embedded database is made and checked without a service', async () => {
  const env = { DATA_DIR: join(home, 'embedded') }
  expect((await run(env, 'dbsync')).out).toMatch(/The tables are up to date\.\n$/)
  expect(await run(env, 'dbchk', '--equal')).toEqual({ code: 0, out: '', errors: [] })
  expect(await run(env, 'eventpurge')).toMatchObject({ code: 0, out: '0 events purged\n' })
  expect(await run(env, 'deadget', '--json')).toEqual({ code: 0, out: '[]\n', errors: [] })
  expect(await run(env, 'deadresend', '--queue', 'q')).toMatchObject({
    ...{ code: 1, out: '', errors: [expect.stringMatching(/no broker.*BROKER_URL/)] },
  })
  await expect(stat(socketPath(env.DATA_DIR))).rejects.toThrow('ENOENT')
  expect((await stat(embeddedFolder(env.DATA_DIR))).isDirectory()).toBe(true)
}, 180_000)
