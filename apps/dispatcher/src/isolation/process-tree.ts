/**
 * Which processes belong to a task's run, and their end. On Linux they are read from /proc; elsewhere the process group
 * is all that is known of them.
 *
 * A run's processes are: the child's process group; whatever descends from the child, also in groups of its own; and
 * whatever carries the run's mark in its environment, also when its parents are gone. What takes a group of its own,
 * loses its parents and clears its environment is not found.
 *
 * All of it waits for the kernel alone: the threads that Node reads files with may be busy with a handler's work.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
// This file alone: it is loaded in a thread of every task's process.
import { endMarked } from '@pacifica/core/end-marked'

/** In the environment of a run's processes: the run's mark. Handlers that start programs hand it on. */
export const MARK_VARIABLE = 'PACIFICA_TASK_PROCESS'

/** What is stored of a run's child, so that it can be found again when its supervisor is gone. */
export interface ProcessRecord {
  /** This boot of this machine, and its space of process ids. */
  readonly host: string
  /** The child's id, and that of its process group. */
  readonly group: number
  /** When the child was started, in clock ticks since the boot: another process of the same id has another. */
  readonly started: number
  readonly mark: string
}

interface Stat {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly started: number
  /** It has ended and waits for its parent to notice. */
  readonly over: boolean
}

/** Undefined where there is no /proc, or when the process has ended already. */
export function recordOf(pid: number, mark: string): ProcessRecord | undefined {
  const [host, stat] = [thisHost(), statOf(pid)]
  if (host === undefined || stat === undefined) return undefined
  return { host, group: pid, started: stat.started, mark }
}

/**
 * Ends a child and all that belongs to its run; called in the child itself, the child last. Call it while the child
 * runs, or as soon as it has ended: its id is nobody else's by then.
 */
export function endTree(pid: number, mark: string): void {
  for (const stat of familyOf(pid)) killStat(stat)
  endMarked(MARK_VARIABLE, mark)
  kill(-pid)
}

/**
 * Ends what is left of a run whose supervisor is gone, if it was on this host: how many processes that were. Never a
 * process that has merely the same id.
 */
export function endOrphans(record: ProcessRecord): number {
  if (record.host !== thisHost()) return 0
  const isOurs = statOf(record.group)?.started === record.started
  const family = isOurs ? familyOf(record.group).filter((stat) => !stat.over) : []
  for (const stat of family) killStat(stat)
  return family.length + endMarked(MARK_VARIABLE, record.mark)
}

/** The members of the child's group, and all that descend from it. */
function familyOf(pid: number): Stat[] {
  const all = pids()
    .map(statOf)
    .filter((stat) => stat !== undefined)
  const parents = new Map(all.map((stat) => [stat.pid, stat.parent]))
  return all.filter((stat) => stat.group === pid || descendsFrom(pid, stat, parents))
}

function descendsFrom(
  ancestor: number,
  { pid, parent }: Stat,
  parents: ReadonlyMap<number, number>,
): boolean {
  const seen = new Set([pid])
  for (let at: number | undefined = parent; at !== undefined && !seen.has(at); ) {
    if (at === ancestor) return true
    seen.add(at)
    at = parents.get(at)
  }
  return false
}

/** With its group, where it leads one. */
function killStat({ pid, group }: Stat): void {
  if (pid === process.pid) return
  if (group === pid) kill(-pid)
  kill(pid)
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

function pids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

function statOf(pid: number): Stat | undefined {
  const line = readText(`/proc/${pid}/stat`)
  return line === undefined ? undefined : readStat(line)
}

/** Undefined also for what ended meanwhile, and for other users' processes. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** proc_pid_stat(5): the second field is a name in brackets and may hold anything, brackets and blanks too. */
export function readStat(line: string): Stat {
  const end = line.lastIndexOf(')')
  // From the third field on.
  const fields = line.slice(end + 2).split(' ')
  return {
    pid: Number.parseInt(line, 10),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    started: Number(fields[19]),
    over: fields[0] === 'Z' || fields[0] === 'X',
  }
}

function thisHost(): string | undefined {
  const boot = readText('/proc/sys/kernel/random/boot_id')
  if (boot === undefined) return undefined
  return `${boot.trim()} ${readlinkSync('/proc/self/ns/pid')}`
}
