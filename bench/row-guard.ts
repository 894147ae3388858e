/** However the runner ends, its row ends with it: a shell that waits on a pipe from the runner sees to that. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * $1 is the row's temporary folder; row.pid in it names the leader of its process group. A line means that all is
 * well, the end of the pipe that the runner is dead. Servers have guards of their own, which find what to end in
 * their folders: these go first.
 */
const GUARD = `read -r line && exit 0
kill -s KILL -- "-$(cat "$1/row.pid")" 2> /dev/null
for i in $(seq 100); do
  ls "$1" 2> /dev/null | grep -qE '^pacifica-(pg|mq)-' || break
  sleep 0.1
done
rm -rf "$1"`

export function guardRow(folder: string): ChildProcess {
  const stdio = ['pipe', 'ignore', 'ignore'] as const
  return spawn('sh', ['-c', GUARD, 'guard', folder], { detached: true, stdio: [...stdio] })
}

/** When the row has ended and its folder is gone. */
export async function releaseGuard(guard: ChildProcess): Promise<void> {
  const ended = once(guard, 'exit')
  guard.stdin?.end('stopped\n')
  await ended
}
