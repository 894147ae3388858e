import { expect, test } from 'vitest'
import { recordLog } from '../telemetry/recorded-log.ts'
import { createBell } from './bell.ts'
import { workLoop } from './work-loop.ts'

const LONG_MS = 600_000

function set() {
  const stop = new AbortController()
  const bell = createBell()
  const { log, lines } = recordLog()
  return { stop, bell, lines, options: { name: 'match', signal: stop.signal, bell, log } }
}

test('while there may be more the loop does not sleep', async () => {
  const { stop, options } = set()
  let steps = 0
  await workLoop(
    async () => {
      steps += 1
      if (steps === 5) stop.abort()
      return true
    },
    { ...options, idleMs: LONG_MS },
  )
  expect(steps).toBe(5)
})

test('with nothing to do it sleeps until the bell rings', async () => {
  const { stop, bell, options } = set()
  let steps = 0
  const loop = workLoop(
    async () => {
      steps += 1
      if (steps === 2) stop.abort()
      return false
    },
    { ...options, idleMs: LONG_MS },
  )
  setTimeout(() => bell.ring(), 20)
  await loop
  expect(steps).toBe(2)
})

test('without a bell it polls', async () => {
  const { stop, options } = set()
  let steps = 0
  await workLoop(
    async () => {
      steps += 1
      if (steps === 3) stop.abort()
      return false
    },
    { ...options, idleMs: 5 },
  )
  expect(steps).toBe(3)
})

test('a ring during a step is not lost', async () => {
  const { stop, bell, options } = set()
  let steps = 0
  await workLoop(
    async () => {
      steps += 1
      if (steps === 1) bell.ring()
      else stop.abort()
      return false
    },
    { ...options, idleMs: LONG_MS },
  )
  expect(steps).toBe(2)
})

test('a step that throws is logged and the loop goes on, slower with each failure', async () => {
  const { stop, lines, options } = set()
  let steps = 0
  await workLoop(
    async () => {
      steps += 1
      if (steps < 4) throw new Error('no database')
      stop.abort()
      return false
    },
    { ...options, idleMs: LONG_MS, failureWaitMs: 4 },
  )
  expect(steps).toBe(4)
  expect(lines()).toHaveLength(3)
  expect(lines()[2]).toMatchObject({
    msg: 'loop.failed',
    loop: 'match',
    failures: 3,
    err: { message: 'no database' },
  })
  expect(Number(lines()[2]?.waitMs)).toBeGreaterThan(Number(lines()[0]?.waitMs))
})

test('the signal ends a wait after a failure too', async () => {
  const { stop, options } = set()
  const loop = workLoop(() => Promise.reject(new Error('no')), {
    ...options,
    idleMs: LONG_MS,
    failureWaitMs: LONG_MS,
  })
  setTimeout(() => stop.abort(), 10)
  await loop
})

test('an aborted signal runs no step; a step in hand is finished', async () => {
  const { stop, options } = set()
  let finished = false
  const loop = workLoop(
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      finished = true
      return true
    },
    { ...options, idleMs: LONG_MS },
  )
  stop.abort()
  await loop
  expect(finished).toBe(true)
  await workLoop(() => Promise.reject(new Error('must not run')), { ...options, idleMs: 1 })
})
