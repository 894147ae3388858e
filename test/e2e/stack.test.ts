/**
 * What Docker would do, without Docker: the image is filled as the Dockerfile says, and docker-compose.yml is brought up
 * from it as plain processes, with the secrets and the databases that the scripts in deploy/ make.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  buildImage,
  createTestVhost,
  type Image,
  openStack,
  type Postgres,
  postgresBinaries,
  type Stack,
  type StackProcess,
  startPostgres,
} from '../harness/index.ts'
import { type PolicyServer, startPolicy } from '../pacifica/policy.ts'
import { until } from '../pacifica/site.ts'

const PATIENCE = 600_000

let image: Image
let postgres: Postgres
let vhost: { url: string; drop(): Promise<void> }
let policy: PolicyServer
let stack: Stack

beforeAll(async () => {
  image = await buildImage()
  postgres = await startPostgres({ own: true })
  vhost = await createTestVhost()
  policy = await startPolicy()
  policy.behave('yes')
  const sample = join(image.app, 'apps/standalone/sample')
  stack = await openStack({
    image,
    postgres: { url: postgres.url, programs: postgresBinaries() },
    brokerUrl: vhost.url,
    env: {
      POLICY_URL: policy.url,
      CARTD_URL: pathToFileURL(sample).href,
      INGEST_URL: pathToFileURL(join(image.app, '../bundles')).href,
    },
  })
}, PATIENCE)
afterAll(async () => {
  await stack?.close()
  await policy?.close()
  await vhost?.drop()
  await postgres?.stop()
  await image?.remove()
}, PATIENCE)

test(
  'the stack comes up in its order, takes an event to its task, ends when it is told to, and runs other dispatchers',
  async () => {
    const before = await image.files()
    for (const step of ['migrate-notifications', 'migrate-dispatcher']) {
      for (const again of [false, true]) {
        const { code, output } = await stack.runStep(step)
        expect([code, output]).toEqual([0, expect.stringContaining('The tables are up to date.')])
        expect(output.includes('Migration: ')).toBe(!again)
      }
    }
    const [api, ...others] = await startAll(['api', 'worker', 'dispatcher'])
    if (api === undefined) throw new Error('no api')
    const dispatchers = others.filter(({ service }) => service === 'dispatcher')
    expect(others.map(({ service }) => service)).toEqual([
      ...['worker', 'worker'],
      ...['dispatcher', 'dispatcher'],
    ])

    await subscribe(api)
    const event = await readFile(join(image.app, 'apps/standalone/sample/event.json'), 'utf8')
    expect((await post(api, event)).status).toBe(401)
    const [, user, password] = (await stack.secret('receive_auth')).split(' ')
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    expect((await post(api, event, basic)).status).toBe(200)
    const statuses = await until(async () => {
      const found = await tasks(dispatchers[0])
      expect(found).toEqual(['200 OK'])
      return found
    }, PATIENCE / 2)
    expect(await tasks(dispatchers[1])).toEqual(statuses)
    expect((await fetch(`${dispatchers[0]?.url}/`)).status).toBe(401)

    for (const { process } of [api, ...others]) {
      expect([await process.kill('SIGTERM'), process.output()]).toEqual([
        0,
        expect.stringContaining('process.stopped'),
      ])
    }
    expect(await api.health()).toBe(1)
    expect(await image.files()).toEqual(before)

    const derived = await stack.start('dispatcher', { DISPATCHER_MODULE: await authorsModule() })
    for (const { process, url } of derived) await process.ready([url], PATIENCE / 3)
    expect(derived[0]?.process.output()).toContain('"dispatcher":"derived"')
  },
  PATIENCE,
)

/** As in an image made from ours: it lies below /app, where it finds the core that the service uses. */
async function authorsModule(): Promise<string> {
  const folder = join(image.app, 'dispatcher')
  await mkdir(folder)
  const text = `import { defineDispatcher, NoopEventHandler } from '@pacifica/core'
export default defineDispatcher({
  name: 'derived',
  routes: [{ path: '$.data', handler: new NoopEventHandler() }],
})
`
  await writeFile(join(folder, 'index.js'), text)
  return join(folder, 'index.js')
}

async function startAll(services: readonly string[]): Promise<StackProcess[]> {
  const started: StackProcess[] = []
  for (const service of services) started.push(...(await stack.start(service)))
  for (const { process, url } of started) await process.ready([url], PATIENCE / 3)
  for (const one of started) expect([one.service, await one.health()]).toEqual([one.service, 0])
  for (const { url } of started)
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'nodejs_eventloop_lag_p99_seconds',
    )
  return started
}

async function token(): Promise<string> {
  const [word] = (await stack.secret('api_tokens')).split(' ')
  return `Bearer ${word}`
}

async function subscribe(api: StackProcess): Promise<void> {
  const answer = await fetch(`${api.url}/eventmatch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: await token() },
    body: JSON.stringify({ name: 'all', jsonpath: '$.data', target_url: 'dispatch://example' }),
  })
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
}

function post(api: StackProcess, body: string, authorization?: string): Promise<Response> {
  return fetch(`${api.url}/receive`, {
    ...{ method: 'POST', body },
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
  })
}

/** The states of all tasks, as this dispatcher tells them. */
async function tasks(dispatcher: StackProcess | undefined): Promise<string[]> {
  const headers = { authorization: await token() }
  const ask = async (path: string) => (await fetch(`${dispatcher?.url}${path}`, { headers })).json()
  const list = (await ask('/')) as { taskID: string }[]
  return Promise.all(list.map(({ taskID }) => ask(`/status/${taskID}`) as Promise<string>))
}
