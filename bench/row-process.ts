/** Runs a row in a process of its own: neither its heap nor its end is another row's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FromRow, Result } from './outcome.ts'
import { guardRow, releaseGuard } from './row-guard.ts'

const RUNNER = join(import.meta.dirname, '../test/harness/run-typescript.mjs')
const ROW = join(import.meta.dirname, 'run-row.ts')
/** A row that takes longer hangs. */
const LIMIT_MS = 20 * 60_000

export interface RowRun {
  readonly name: string
  readonly rounds: number
  readonly quick: boolean
  readonly print: (line: string) => void
}

/**
 * The row's process leads a group, and its temporary folder is its own. Both are guarded: however this process ends,
 * nothing of the row stays.
 */
export async function runInProcess(run: RowRun): Promise<{ what: string; result: Result }> {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-row-'))
  const guard = guardRow(folder)
  try {
    await chmod(folder, 0o755) // servers run under accounts of their own
    const child = spawn(process.execPath, [RUNNER, ROW, ...wordsOf(run)], {
      detached: true,
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    await writeFile(join(folder, 'row.pid'), `${child.pid}\n`)
    return await listen(child, run)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    await releaseGuard(guard)
  }
}

function wordsOf({ name, rounds, quick }: RowRun): string[] {
  return [name, String(rounds), quick ? 'quick' : 'full']
}

async function listen(
  child: ChildProcess,
  { name, print }: RowRun,
): Promise<{ what: string; result: Result }> {
  let what = name
  let limit: NodeJS.Timeout | undefined
  const result = await new Promise<Result>((resolve) => {
    const fail = (reason: string) => resolve({ kind: 'failed', reason })
    limit = setTimeout(() => fail(`not done in ${LIMIT_MS / 60_000} minutes`), LIMIT_MS)
    child.once('error', ({ message }) => fail(message))
    child.once('exit', (code, signal) =>
      // A last message may still be on its way.
      setImmediate(fail, `its process ended with ${signal ?? code} before it was done`),
    )
    child.on('message', (message: FromRow) => {
      if (message.kind === 'begun') what = message.what
      else if (message.kind === 'said') print(message.line)
      else resolve(message)
    })
  })
  clearTimeout(limit)
  await end(child)
  return { what, result }
}

/** It ends when nobody listens any more; whatever it has left behind in its group ends too. */
async function end(child: ChildProcess): Promise<void> {
  const ended =
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
  if (child.connected) child.disconnect()
  const force = setTimeout(() => killGroup(child), 10_000)
  await ended
  clearTimeout(force)
  killGroup(child)
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // nobody is left in it
  }
}
