/**
 * Both services in one process on the engines that the settings name, instead of the embedded ones; and the operators'
 * guide to metrics, held against all that they then serve.
 */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createLifetime,
  createLog,
  createRabbitmqTransport,
  type LifetimeControl,
  openDatabase,
} from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readStandaloneConfig } from '../../apps/standalone/src/config.ts'
import { type Standalone, startStandalone } from '../../apps/standalone/src/start.ts'
import { createTestDatabase, createTestVhost } from '../harness/index.ts'

const log = createLog({ name: 'test', level: 'silent' })
const PATIENCE = 600_000
const ROOT = join(import.meta.dirname, '../..')

let folder: string
let databases: Awaited<ReturnType<typeof createTestDatabase>>[]
let vhost: Awaited<ReturnType<typeof createTestVhost>>
let life: LifetimeControl
let running: Standalone

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'standalone-'))
  databases = [await createTestDatabase(), await createTestDatabase()]
  vhost = await createTestVhost()
  life = createLifetime({ log }, { graceMs: 30_000 })
  const env = {
    ...{ DATA_DIR: folder, NOTIFICATIONS_PORT: '0', DISPATCHER_PORT: '0' },
    DATABASE_URL: databases[0]?.url,
    DISPATCHER_DATABASE_URL: databases[1]?.url,
    BROKER_URL: vhost.url,
  }
  running = await startStandalone(life, { log }, readStandaloneConfig(env))
}, PATIENCE)
afterAll(async () => {
  await life?.stop('the test is over')
  for (const database of databases) await database.drop()
  await vhost?.drop()
  await rm(folder, { recursive: true, force: true })
}, PATIENCE)

test(
  'DATABASE_URL, DISPATCHER_DATABASE_URL and BROKER_URL are used where they are set',
  async () => {
    const [notifications, dispatcher] = databases
    for (const url of [running.notificationsUrl, running.dispatcherUrl])
      await expect
        .poll(async () => (await fetch(`${url}/readyz`)).status, { timeout: PATIENCE / 3 })
        .toBe(200)
    for (const [url, table] of [
      [notifications?.url, 'eventlog'],
      [dispatcher?.url, 'task'],
    ] as const) {
      const database = await openDatabase({ log }, { url, folder: 'unused' })
      expect(await database.query(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: 0 }])
      await database.close()
    }
    // Somebody else on the same broker reaches its dispatcher.
    const broker = createRabbitmqTransport({ log }, { url: vhost.url, name: 'test' })
    const message = { deliveryId: crypto.randomUUID(), replay: 0, digest: 'x', body: '{}' }
    const published = await broker.publish(running.dispatcher, message, { timeoutMs: 60_000 })
    expect(published).toEqual({ kind: 'accepted' })
    await broker.close()
  },
  PATIENCE,
)

/** `{name,labels}` as the guide writes it, of everything that both services serve. */
async function served(): Promise<string[]> {
  const names = new Set<string>()
  for (const url of [running.notificationsUrl, running.dispatcherUrl]) {
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) names.add(name)
  }
  return [...names].sort()
}

test('the guide explains every metric that is served, and no other', async () => {
  const guide = await readFile(join(ROOT, 'docs/guides/metrics.md'), 'utf8')
  const rows = guide.split('\n').filter((line) => line.startsWith('| `'))
  const explained = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)/g)].map(([, name = '']) => name),
  )
  expect(explained.sort()).toEqual(await served())
})

test('the guide explains every check of readiness, and no other', async () => {
  const guide = await readFile(join(ROOT, 'docs/guides/operate.md'), 'utf8')
  const [, table = ''] = guide.split('| check | of the role | not ok means |')
  const rows = (table.split('\n\n')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'))
  const explained = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
  const served: string[] = []
  for (const url of [running.notificationsUrl, running.dispatcherUrl]) {
    const reply = (await (await fetch(`${url}/readyz`)).json()) as { checks: object }
    served.push(...Object.keys(reply.checks))
  }
  const names = served.map((name) => name.replace(/^intake from .*/, 'intake from …'))
  expect(new Set(explained)).toEqual(new Set(names))
})

interface Rule {
  readonly expr: string
  readonly annotations: { readonly guide: string }
}

test('the rules for alerts ask for metrics that are served, and name a guide that is there', async () => {
  const text = await readFile(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8')
  const { groups }: { groups: { rules: Rule[] }[] } = parse(text)
  const rules = groups.flatMap((group) => group.rules)
  const known = await served()
  expect(rules.length).toBeGreaterThan(0)
  for (const { expr, annotations } of rules) {
    const asked = [...expr.matchAll(/pacifica_\w+/g)].map(([name]) => name)
    expect(asked).not.toEqual([])
    expect(asked.filter((name) => !known.includes(name))).toEqual([])
    expect((await stat(join(ROOT, annotations.guide))).isFile()).toBe(true)
  }
})
