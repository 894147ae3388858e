import { expect, test } from 'vitest'
import { recordLog } from '../telemetry/recorded-log.ts'
import { createLifetime } from './lifetime.ts'

const LONG_MS = 600_000

function set(options: { graceMs?: number; abandonedCloserMs?: number } = {}) {
  const { log, lines } = recordLog()
  const life = createLifetime({ log }, { graceMs: LONG_MS, ...options })
  return { life, named: (msg: string) => lines().filter((line) => line.msg === msg) }
}

test('what was opened is closed in reverse order, one after the other, after stopping was said', async () => {
  const { life } = set()
  const order: string[] = []
  life.stopping.addEventListener('abort', () => order.push('stopping'))
  life.onClose('database', () => order.push('database'))
  life.onClose('loop', async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    order.push('loop')
  })
  life.onClose('http', () => order.push('http'))
  expect(await life.stop('test')).toBe(true)
  expect(order).toEqual(['stopping', 'http', 'loop', 'database'])
  expect(life.abandoning.aborted).toBe(false)
})

test('a closer that fails is named in the log, costs no other its turn, and the stop is not clean', async () => {
  const { life, named } = set()
  let closed = false
  life.onClose('database', () => {
    closed = true
  })
  life.onClose('broker', () => Promise.reject(new Error('channel closed')))
  life.onClose('spool', () => {
    throw new Error('disk full')
  })
  expect(await life.stop('test')).toBe(false)
  expect(closed).toBe(true)
  expect(named('close.failed')).toMatchObject([
    { closer: 'spool', err: { message: 'disk full' } },
    { closer: 'broker', err: { message: 'channel closed' } },
  ])
})

test('at the deadline what is in hand is abandoned, and closers that hang are left behind by name', async () => {
  const { life, named } = set({ graceMs: 20, abandonedCloserMs: 20 })
  let closed = false
  life.onClose('database', () => {
    closed = true
  })
  life.onClose('handler', () => new Promise(() => {}))
  expect(await life.stop('test')).toBe(false)
  expect(life.abandoning.aborted).toBe(true)
  expect(closed).toBe(true)
  expect(named('close.timed_out')).toMatchObject([{ closer: 'handler' }])
})

test('work that ends when it is abandoned is closed in order, but the stop is not clean', async () => {
  const { life, named } = set({ graceMs: 20 })
  life.onClose(
    'handler',
    () => new Promise((end) => life.abandoning.addEventListener('abort', end)),
  )
  expect(await life.stop('test')).toBe(false)
  expect(named('close.timed_out')).toEqual([])
})

test('to abandon cuts a stop short', async () => {
  const { life } = set({ abandonedCloserMs: 5 })
  life.onClose('handler', () => new Promise(() => {}))
  const stopped = life.stop('first signal')
  life.abandon('second signal')
  expect(await stopped).toBe(false)
})

test('to abandon says stopping too', () => {
  const { life } = set()
  life.abandon('an uncaught error')
  expect(life.stopping.aborted).toBe(true)
})

test('stopping twice closes once', async () => {
  const { life } = set()
  let closed = 0
  life.onClose('database', () => {
    closed += 1
  })
  expect(await Promise.all([life.stop('one'), life.stop('two')])).toEqual([true, true])
  expect(closed).toBe(1)
})

test('a start that is still going on ends before anything closes, and what it opens is closed', async () => {
  const { life } = set()
  const order: string[] = []
  life.onClose('database', () => order.push('database closed'))
  const start = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push('start ended')
      life.onClose('http', () => order.push('http closed'))
      resolve()
    }, 20)
  })
  expect(await life.stop('signal', { after: start })).toBe(true)
  expect(order).toEqual(['start ended', 'http closed', 'database closed'])
})

test('what is registered while closing is closed as well', async () => {
  const { life } = set()
  let closed = false
  life.onClose('first', () =>
    life.onClose('late', () => {
      closed = true
    }),
  )
  await life.stop('test')
  expect(closed).toBe(true)
})
