/**
 * The processes of one run. The executable leads a process group of its own; what leaves that group is found by the run's
 * mark in its environment, where there is a /proc. What leaves the group and clears its environment is not found.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { RUN_VARIABLE } from './environment.ts'

/** Windows has no groups: there the executable alone is ended. */
export const HAS_GROUPS = process.platform !== 'win32'

/** Asks all of the group to end. */
export function askToEnd(leader: number): void {
  send(HAS_GROUPS ? -leader : leader, 'SIGTERM')
}

const MOST_ROUNDS = 10

/** Ends whatever is left of the run. */
export function endAll(leader: number, run: string): void {
  send(HAS_GROUPS ? -leader : leader, 'SIGKILL')
  // Until none is found: one may have been started while the others were looked for.
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = processIds().filter((id) => isMarked(id, run))
    if (found.length === 0) return
    for (const id of found) send(id, 'SIGKILL')
  }
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

/** What has ended has no environment any more; that of other users cannot be read. */
function isMarked(id: number, run: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${id}/environ`, 'latin1')}`.includes(
      `\0${RUN_VARIABLE}=${run}\0`,
    )
  } catch {
    return false
  }
}

/** What is gone already is gone. */
function send(id: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(id, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
