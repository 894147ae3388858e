import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { linesOf, spawnTypeScript } from './typescript-process.ts'

const PATIENCE_MS = 60_000

test(
  'a run that is killed leaves none of its guarded programs and no folder behind',
  async () => {
    const run = spawnTypeScript(new URL('killed-run/guarded.ts', import.meta.url))
    for await (const line of linesOf(run)) {
      const { folder, pid } = JSON.parse(line) as { folder: string; pid: number }
      expect([existsSync(folder), isThere(pid)]).toEqual([true, true])
      run.kill('SIGKILL')
      await expect
        .poll(() => [existsSync(folder), isThere(pid)], { timeout: PATIENCE_MS })
        .toEqual([false, false])
    }
    expect.assertions(2)
  },
  2 * PATIENCE_MS,
)

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
