import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase } from './index.ts'
import { startServer } from './postgres-server.ts'

async function select(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

test('each test gets an empty database of its own, which can be dropped', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await select(one.url, 'CREATE TABLE mine (id int)')
  expect(await select(other.url, "SELECT to_regclass('mine') AS it")).toEqual([{ it: null }])
  await one.drop()
  await other.drop()
  await expect(select(one.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
})

test.each(['soft', 'hard'] as const)(
  'after a %s restart the server is back on its port with its rows',
  async (how) => {
    const server = await startServer({ durable: false })
    try {
      await select(server.url, 'CREATE TABLE kept AS SELECT 1 AS it')
      await server.halt(how)
      await expect(select(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      await server.resume()
      expect(await select(server.url, 'SELECT it FROM kept')).toEqual([{ it: 1 }])
    } finally {
      await server.stop()
    }
    expect(existsSync(server.folder)).toBe(false)
  },
)

test('a run that is killed leaves no server, no folder and no process behind', async () => {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
  const config = fileURLToPath(new URL('./killed-run/vitest.config.ts', import.meta.url))
  const run = spawn(process.execPath, [vitest, 'run', '--config', config, 'hang.ts'], {
    env: { ...process.env, TEST_DATABASE_URL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { url, pid } = await firstObject(run.stdout)
  const [{ data_directory: data }] = await select(url, 'SHOW data_directory')
  expect(existsSync(data)).toBe(true)
  run.kill('SIGKILL')
  await until(() => !existsSync(dirname(data)) && !alive(pid))
  await expect(select(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

async function firstObject(stream: Readable) {
  let text = ''
  for await (const piece of stream) {
    text += piece
    const line = /\{.*\}\n/.exec(text)
    if (line) return JSON.parse(line[0]) as { url: string; pid: number }
  }
  throw new Error(`The run ended early: ${text}`)
}

async function until(condition: () => boolean) {
  const deadline = Date.now() + 30_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('Not within 30 s')
    await sleep(50)
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
