/** An embedded site: commands while the service runs, and the move to a PostgreSQL server. */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  freePort,
  runCommand,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'
import { startTarget, type TargetServer } from './target.ts'

const SERVICE = 'apps/notifications/dist/main.js'
const CMD = 'apps/notifications/dist/cli/main.js'

let folder: string
let target: TargetServer
let env: Record<string, string>
let url: string
const running: ServiceProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-move-'))
  target = await startTarget()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  env = {
    DATA_DIR: folder,
    HOME: folder,
    NOTIFICATIONS_PORT: String(port),
    POLICY_URL: 'allow-all',
    DEFAULT_USER: 'ann',
    TARGET_ALLOW: '127.0.0.0/8',
  }
})
afterEach(async () => {
  for (const service of running.splice(0)) await service.kill('SIGTERM')
  await target.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(more: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = startService(SERVICE, { ...env, ...more })
  running.push(service)
  await service.ready([url])
  return service
}

const cmd = (...words: string[]) => runCommand(CMD, words, env)

async function post(path: string, body: object): Promise<string> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  expect([answer.status, text]).toEqual([200, expect.any(String)])
  return text
}

const postEvent = (number: number) =>
  post('/receive', {
    cloudEventsVersion: '0.1',
    eventType: 'test',
    source: '/s',
    eventID: `e${number}`,
    data: ['ä\\"\u2028'],
  })

async function waitFor(eventId: string, times = 1): Promise<void> {
  while (target.received.filter((event) => event.eventId === eventId).length < times)
    await new Promise((resolve) => setTimeout(resolve, 50))
}

async function subscribe(): Promise<void> {
  const auth = { type: 'basic', basic: { username: 'me', password: 'hunter2' } }
  await post('/eventmatch', { name: 'n', jsonpath: '$.data', target_url: target.url, auth })
  const nowhere = `http://127.0.0.1:${await freePort()}/`
  await post('/eventmatch', { name: 'nowhere', jsonpath: '$.data', target_url: nowhere })
}

test('while an embedded service runs, it carries out the commands itself', async () => {
  await start()
  await subscribe()
  const event = await postEvent(1)
  await waitFor('e1')
  expect((await stat(join(folder, 'notifications', 'admin.sock'))).mode & 0o777).toBe(0o600)
  expect(await cmd('dbchk', '--equal')).toEqual({ code: 0, out: '', errors: '' })
  expect((await cmd('dbsync')).out).toMatch(/^A service runs on this data folder/)
  const got = await cmd('eventget')
  expect(got).toMatchObject({ code: 0, errors: '' })
  expect(got.out).toMatch(
    new RegExp(`^Event - ${event}\n\\{[^\n]*\\}\n(    ELM .* policy .*\n){2}$`),
  )
  expect(JSON.parse((await cmd('eventget', '--json')).out)[0].event.data).toEqual(['ä\\"\u2028'])
  expect((await cmd('eventretry', event)).out).toContain(`Event ${event} - matched anew\n`)
  await waitFor('e1', 2)
  const future = ['--older-than-date', '2199-01-01 00:00:00']
  expect((await cmd('eventpurge', ...future)).out).toBe(
    '0 events purged, 1 kept: they still wait\n',
  )
  expect((await cmd('eventpurge', ...future, '--pending')).out).toBe('1 events purged\n')
  expect(await cmd('dbmove', '--from', folder, '--to', 'postgresql://127.0.0.1:1/x')).toMatchObject(
    {
      code: 1,
    },
  )
}, 180_000)

test('dbmove takes all rows to an empty server, where the service goes on; to another it takes none', async () => {
  const first = await start()
  await subscribe()
  await postEvent(1)
  await waitFor('e1')
  await first.kill('SIGKILL')
  const { url: server, drop } = await createTestDatabase()
  try {
    const moved = await cmd('dbmove', '--from', folder, '--to', server)
    expect(moved).toMatchObject({ code: 0, errors: '' })
    for (const line of ['eventlog: 1 rows', 'eventmatch: 2 rows', 'delivery: 2 rows'])
      expect(moved.out).toContain(`${line}\n`)
    expect(await cmd('dbmove', '--from', folder, '--to', server)).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^The target is not empty \(/),
    })
    expect(await runCommand(CMD, ['dbchk', '--equal'], { ...env, DATABASE_URL: server })).toEqual({
      code: 0,
      out: '',
      errors: '',
    })
    await start({ DATABASE_URL: server })
    await postEvent(2)
    await waitFor('e2')
    await postEvent(1)
    await postEvent(3)
    await waitFor('e3')
    const events = target.received.map(({ eventId }) => eventId)
    expect(events.filter((id) => id !== 'e1').sort()).toEqual(['e2', 'e3'])
    const basic = `Basic ${Buffer.from('me:hunter2').toString('base64')}`
    expect(new Set(target.received.map(({ authorization }) => authorization))).toEqual(
      new Set([basic]),
    )
  } finally {
    for (const service of running.splice(0)) await service.kill('SIGTERM')
    await drop()
  }
}, 240_000)

test('where there is no embedded database nothing is moved', async () => {
  expect(await cmd('dbmove', '--from', folder, '--to', 'postgresql://127.0.0.1:1/x')).toMatchObject(
    {
      code: 1,
      errors: `There is no embedded database in ${folder}\n`,
    },
  )
})
