/** Who may use the dispatcher's API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createBell,
  createHealth,
  createMetrics,
  type HttpApp,
  readConfig,
} from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog as log } from '../../../test/harness/index.ts'
import { dispatcherSettings, refuseExposed } from './config.ts'
import { guardOf } from './guard.ts'
import { dispatcherApp } from './http.ts'

const folder = mkdtempSync(join(tmpdir(), 'guard-'))
const file = join(folder, 'tokens')
const apps: HttpApp[] = []
let guarded: HttpApp
let open: HttpApp

beforeAll(async () => {
  writeFileSync(file, 't0ken operator admin\n')
  guarded = await app(file)
  open = await app(undefined)
})
afterAll(async () => {
  for (const one of apps) await one.close()
  rmSync(folder, { recursive: true })
})

async function app(apiTokens: string | undefined): Promise<HttpApp> {
  const never = () => Promise.reject(new Error('not asked in this test'))
  const made = await dispatcherApp(
    {
      ...{ log, metrics: createMetrics(), health: createHealth(), guard: guardOf({ apiTokens }) },
      accept: { store: never, bell: createBell(), log, newId: () => '', onAccepted() {} },
      tasks: {
        ...{ find: never, cancel: never, log: never },
        ...{ list: never, read: never, retry: never, dryRun: never },
        page: async () => ({ rows: [], next: undefined }),
      },
      joins: { defined: new Set(), list: never, read: never, cancel: never },
    },
    { name: 'x', bodyLimit: 1_000 },
  )
  apps.push(made)
  return made
}

const TASKS = [
  ['GET', '/'],
  ['GET', '/status/00000000-0000-4000-8000-000000000000'],
  ['GET', '/get/00000000-0000-4000-8000-000000000000'],
  ['GET', '/tasks/00000000-0000-4000-8000-000000000000/log'],
  ['DELETE', '/tasks/00000000-0000-4000-8000-000000000000'],
  ['GET', '/tasks'],
  ['GET', '/tasks/00000000-0000-4000-8000-000000000000'],
  ['POST', '/tasks/00000000-0000-4000-8000-000000000000/retry'],
  ['POST', '/tasks/00000000-0000-4000-8000-000000000000/dry-run'],
  ['POST', '/receive'],
] as const

test.each(TASKS)('%s %s asks for a token, and says so', async (method, url) => {
  for (const authorization of [undefined, 'Basic eDp5', 'Bearer other', 'Bearer']) {
    const headers = authorization === undefined ? {} : { authorization }
    const refused = await guarded.inject({ method, url, headers })
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="dispatcher"')
    expect(refused.json().code).toBe('TOKEN')
  }
  const { statusCode } = await guarded.inject({
    ...{ method, url },
    headers: { authorization: 'bearer  t0ken' },
  })
  expect(statusCode).not.toBe(401)
})

test.each(['/healthz', '/readyz', '/metrics', '/docs/json'])('%s is open', async (url) => {
  expect((await guarded.inject(url)).statusCode).toBe(200)
})

test('without tokens everybody may ask; the description says which it is', async () => {
  expect((await open.inject('/')).statusCode).toBe(200)
  const security = async (one: HttpApp) =>
    (await one.inject('/docs/json')).json().paths['/'].get.security
  expect(await security(open)).toEqual([{}, { token: [] }])
  expect(await security(guarded)).toEqual([{ token: [] }])
})

test('on a network it does not start without tokens, unless they are said to be off', () => {
  const read = (env: Record<string, string>) => readConfig(dispatcherSettings, { env })
  const exposed = { DISPATCHER_HOST: '0.0.0.0' }
  expect(() => refuseExposed(read(exposed))).toThrow(
    'API_TOKENS: not set, and the dispatcher listens on 0.0.0.0 (DISPATCHER_HOST), where anybody',
  )
  for (const env of [{}, { ...exposed, API_TOKENS: 'off' }, { ...exposed, API_TOKENS: file }])
    expect(() => refuseExposed(read(env))).not.toThrow()
  expect(guardOf(read({ API_TOKENS: 'off' }))).toBeUndefined()
})
