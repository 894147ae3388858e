import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { endOrphans, endTree, MARK_VARIABLE, readStat, recordOf } from './process-tree.ts'

test('a process may have any name', () => {
  const rest = `S 12 34 34 0 -1 4194304 ${Array.from({ length: 12 }, () => 0).join(' ')} 567 8 9`
  expect(readStat(`42 (a) b) R 1 2 (c) ${rest}`)).toEqual({
    ...{ pid: 42, parent: 12, group: 34, started: 567, over: false },
  })
})

/** A group of its own with a child in another group, and one whose parent has gone. */
const SCRIPT = 'setsid sleep 1000 & (setsid sleep 1000 &) ; echo started; wait'

async function startFamily(mark: string) {
  const env = { PATH: process.env['PATH'], [MARK_VARIABLE]: mark }
  const child = spawn('sh', ['-c', SCRIPT], {
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  const closed = once(child.stdout, 'close')
  return { pid: child.pid as number, closed }
}

test('a run ends with all that it has started, whatever groups and parents that has', async () => {
  const { pid, closed } = await startFamily('family-1')
  endTree(pid, 'family-1')
  // All of them hold this pipe: it closes with the last one.
  await closed
})

test('what a killed supervisor has left is found by its record, and ended once', async () => {
  const { pid, closed } = await startFamily('family-2')
  const record = recordOf(pid, 'family-2')
  if (record === undefined) throw new Error('no record')
  expect(endOrphans({ ...record, host: 'another', mark: 'family-2' })).toBe(0)
  expect(endOrphans(record)).toBeGreaterThanOrEqual(3)
  await closed
})

test('a process that has merely the same id is left alone', async () => {
  const { pid, closed } = await startFamily('family-3')
  const record = recordOf(pid, 'family-3')
  if (record === undefined) throw new Error('no record')
  expect(endOrphans({ ...record, started: record.started - 1, mark: 'of another' })).toBe(0)
  process.kill(pid, 0)
  endTree(pid, 'family-3')
  await closed
})
