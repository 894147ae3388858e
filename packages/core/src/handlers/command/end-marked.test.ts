import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'
import { expect, test } from 'vitest'
import { endMarked } from './end-marked.ts'

const VARIABLE = 'END_MARKED_TEST'

/** Its child has another group and no parent that waits for it. */
function start(mark: string) {
  const env = { PATH: process.env['PATH'], [VARIABLE]: mark }
  const child = spawn('sh', ['-c', '(setsid sleep 1000 &); sleep 1000'], { env, stdio: 'ignore' })
  return { child, ended: once(child, 'exit') }
}

test.runIf(platform() === 'linux')(
  'what carries the mark is ended, whatever its parents; what carries another one goes on',
  async () => {
    const [ours, other] = [start(`ours-${process.pid}`), start(`ours-${process.pid}-not`)]
    await Promise.all([once(ours.child, 'spawn'), once(other.child, 'spawn')])
    expect(endMarked(VARIABLE, `ours-${process.pid}`)).toBeGreaterThanOrEqual(1)
    await ours.ended
    expect(other.child.exitCode).toBeNull()
    expect(endMarked(VARIABLE, `ours-${process.pid}-not`)).toBeGreaterThanOrEqual(1)
    await other.ended
  },
)
