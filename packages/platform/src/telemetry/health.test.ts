import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

test('a process is ready when every check is ok', async () => {
  const health = createHealth()
  health.add('database', async () => undefined)
  health.add('loops', () => undefined)
  expect(await health.report()).toEqual({ ready: true, checks: { database: 'ok', loops: 'ok' } })
})

test('one check that is not ok, throws or does not answer makes it unready and says why', async () => {
  const health = createHealth({ checkMs: 20 })
  health.add('database', () => 'connection refused')
  health.add('broker', () => Promise.reject(new Error('closed')))
  health.add('disk', () => new Promise(() => {}))
  health.add('loops', () => undefined)
  expect(await health.report()).toEqual({
    ready: false,
    checks: {
      database: 'connection refused',
      broker: 'closed',
      disk: 'no answer within 20 ms',
      loops: 'ok',
    },
  })
})

test('a name is taken once', () => {
  const health = createHealth()
  health.add('database', () => undefined)
  expect(() => health.add('database', () => undefined)).toThrow(/database/)
})
