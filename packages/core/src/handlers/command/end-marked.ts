/**
 * The end of processes that carry a mark in their environment, also when their parents are gone. They are read from
 * /proc; where there is none, none is found. All of it waits for the kernel alone: the threads that Node reads files with
 * may be busy with a handler's work.
 */
import { readdirSync, readFileSync } from 'node:fs'

const MOST_ROUNDS = 50
const BETWEEN_ROUNDS_MS = 2

/**
 * Ends all but this process whose environment has `variable=mark`: how many those were. Until none is found: one may have
 * been started while the others were looked for, and one that is just being started shows no environment for a moment.
 */
export function endMarked(variable: string, mark: string): number {
  const wanted = `\0${variable}=${mark}\0`
  const ended = new Set<number>()
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const others = processIds().filter((pid) => pid !== process.pid)
    const seen = others.map((pid) => ({ pid, environment: readText(`/proc/${pid}/environ`) }))
    // What has ended has no environment, so it is not found again.
    const found = seen.filter(({ environment }) => `\0${environment ?? ''}`.includes(wanted))
    if (found.length === 0) {
      if (!seen.some(({ pid, environment }) => environment === '' && isNew(pid))) break
      pause(BETWEEN_ROUNDS_MS)
    }
    for (const { pid } of found) kill(pid)
    for (const { pid } of found) ended.add(pid)
  }
  return ended.size
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** Undefined also for what ended meanwhile, and for other users' processes. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

const NEW_FOR_S = 2
/** Linux counts in these for programs, on every machine: sysconf(_SC_CLK_TCK). */
const TICKS_PER_S = 100

/** proc_pid_stat(5): what follows the name in brackets, which may hold anything, begins with the third field. */
function isNew(pid: number): boolean {
  const line = readText(`/proc/${pid}/stat`)
  if (line === undefined) return false
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const isOver = fields[0] === 'Z' || fields[0] === 'X'
  const uptime = Number.parseFloat(readText('/proc/uptime') ?? '')
  return !isOver && uptime - Number(fields[19]) / TICKS_PER_S < NEW_FOR_S
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** What is gone is gone. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
