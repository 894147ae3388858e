/**
 * The processes of one run. The executable leads a process group of its own; what leaves that group is found by the run's
 * mark in its environment, where there is a /proc. What leaves the group and clears its environment is not found.
 */
import { endMarked } from './end-marked.ts'
import { RUN_VARIABLE } from './environment.ts'

/** Windows has no groups: there the executable alone is ended. */
export const HAS_GROUPS = process.platform !== 'win32'

/** Asks all of the group to end. */
export function askToEnd(leader: number): void {
  send(HAS_GROUPS ? -leader : leader, 'SIGTERM')
}

/** Ends whatever is left of the run. */
export function endAll(leader: number, run: string): void {
  send(HAS_GROUPS ? -leader : leader, 'SIGKILL')
  endMarked(RUN_VARIABLE, run)
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
