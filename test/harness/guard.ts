/**
 * Programs that run in a temporary folder, and are gone when this process is gone, however it ended: a shell that
 * waits on a pipe from us kills them and removes the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'

/**
 * $1 is the folder; each of its `*.pid` names the leader of a process group. A line means that all is well, the end of
 * the pipe that the run is dead. Repeated, because a program may just be starting.
 */
const GUARD = `read -r line && exit 0
for i in 1 2 3 4 5 6 7 8 9 10; do
  pids="$pids $(cat "$1"/*.pid 2> /dev/null)"
  for pid in $pids; do kill -s KILL -- "-$pid" 2> /dev/null; done
  rm -rf "$1"
  sleep 0.2
done`

export function guardFolder(folder: string): ChildProcess {
  const stdio = ['pipe', 'ignore', 'ignore'] as const
  return spawn('sh', ['-c', GUARD, 'guard', folder], { detached: true, stdio: [...stdio] })
}

/** When all programs have ended: removes the folder and lets the guard go. */
export async function releaseFolder(guard: ChildProcess, folder: string): Promise<void> {
  const ended = once(guard, 'exit')
  rmSync(folder, { recursive: true, force: true })
  guard.stdin?.end('stopped\n')
  await ended
}
