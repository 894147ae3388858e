/** Behind a proxy that gives each transaction another session of the server. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  createTestDatabase,
  type SessionProxy,
  startSessionProxy,
} from '../../../../../test/harness/index.ts'
import { createLog } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { openDatabase } from '../open-database.ts'

let home: Awaited<ReturnType<typeof createTestDatabase>>
let proxy: SessionProxy
let database: Database
let lines: string[] = []

beforeAll(async () => {
  home = await createTestDatabase()
  proxy = await startSessionProxy(home.url)
}, 300_000)
afterEach(() => database.close())
afterAll(async () => {
  await proxy?.close()
  await home?.drop()
})

async function open(prepare: boolean): Promise<void> {
  lines = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLog({ name: 'test', level: 'info', destination })
  const options = { url: proxy.url, folder: 'unused', poolSize: 1, prepare }
  database = await openDatabase({ log }, options)
}

const asked = () => database.query('SELECT $1::int AS n, pg_backend_pid() AS pid', [1], 'prepared')
const told = () => lines.filter((line) => line.includes('database.not_preparing'))

test('a statement that was prepared in another session runs all the same, and it is told once', async () => {
  await open(true)
  const pids = new Set<unknown>()
  for (let time = 0; time < 4; time += 1) {
    const [row] = await asked()
    expect(row).toMatchObject({ n: 1 })
    pids.add(row?.['pid'])
  }
  expect(pids.size).toBe(2)
  expect(told()).toHaveLength(1)
  expect(told()[0]).toContain('does not exist')
})

test('a transaction that finds it out is lost, and done again it is not', async () => {
  await open(true)
  const work = () =>
    database.transaction((sql) => sql.query('SELECT $1::int AS n', [1], 'prepared'))
  expect(await work()).toEqual([{ n: 1 }])
  await expect(work()).rejects.toMatchObject({ code: '26000' })
  for (let time = 0; time < 3; time += 1) expect(await work()).toEqual([{ n: 1 }])
  expect(told()).toHaveLength(1)
})

test('told beforehand, nothing is prepared', async () => {
  await open(false)
  for (let time = 0; time < 4; time += 1) expect(await asked()).toMatchObject([{ n: 1 }])
  expect(told()).toEqual([])
})
