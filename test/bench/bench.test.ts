/** The runner as people run it, at sizes that say nothing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const RUNNER = join(import.meta.dirname, '../harness/run-typescript.mjs')
const MAIN = join(import.meta.dirname, '../../bench/main.ts')
const PATIENCE_MS = 600_000

let folder: string
let runs: ChildProcess[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pacifica-bench-test-'))
  runs = []
})

afterEach(() => {
  for (const run of runs) run.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
})

/** Its temporary folders are in ours; a program there is found before the machine's own. */
function bench(...args: string[]): ChildProcess {
  const PATH = `${folder}:${process.env['PATH']}`
  const env = { ...process.env, TMPDIR: folder, PATH }
  const run = spawn(process.execPath, [RUNNER, MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  runs.push(run)
  return run
}

/** Of the row that is running; 0 while there is none. */
function rowPid(): number {
  const [row] = readdirSync(folder)
  try {
    return Number(
      /^(\d+)\n/.exec(readFileSync(join(folder, row ?? '', 'row.pid'), 'utf8'))?.[1] ?? 0,
    )
  } catch {
    return 0
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function ended(run: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = ''
  for (const stream of [run.stdout, run.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const [code] = (await once(run, 'close')) as [number | null]
  return { code, said }
}

test(
  'rows are measured beside their peers; one that fails says why, and the others go on',
  async () => {
    writeFileSync(join(folder, 'curl'), '#!/bin/sh\nexit 7\n')
    chmodSync(join(folder, 'curl'), 0o755)
    const args = ['matching', 'transfer', 'rfc9535', '--quick', '--rounds', '1']
    const { code, said } = await ended(bench(...args))
    expect(said).toContain('PostgreSQL')
    expect(said).toMatch(/^ {2}time, 200 subscriptions +\d.* µs +brute force: \d/m)
    expect(said).toMatch(/^ {2}FAILED: .*needs curl, tar and sha1sum$/m)
    expect(said).toMatch(/^ {2}50 subscriptions, the index +\d.* µs +json-p3: \d/m)
    expect(said).toMatch(/^3 rows, 1 round: \d+ of \d+ goals reached, 1 failed; quick/m)
    expect(code).toBe(1)
    expect(readdirSync(folder)).toEqual(['curl'])
  },
  PATIENCE_MS,
)

test(
  'Ctrl-C leaves no process and no folder behind',
  async () => {
    const run = bench('matching', '--rounds', '1000')
    const end = ended(run)
    await expect.poll(rowPid, { timeout: PATIENCE_MS / 3, interval: 100 }).toBeGreaterThan(0)
    const pid = rowPid()
    run.kill('SIGINT')
    expect(await end).toMatchObject({ code: 130 })
    await expect.poll(() => readdirSync(folder), { timeout: PATIENCE_MS / 3 }).toEqual([])
    await expect.poll(() => isThere(pid), { timeout: PATIENCE_MS / 3 }).toBe(false)
  },
  PATIENCE_MS,
)
