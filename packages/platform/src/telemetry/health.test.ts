import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

test('a process is ready when every check is ok', async () => {
  const health = createHealth()
  health.add('database', async () => undefined)
  health.add('loops', () => undefined)
  expect(await health.report()).toEqual({
    ready: true,
    status: 'ready',
    checks: { database: 'ok', loops: 'ok' },
  })
})

test('one check that is not ok, throws or does not answer makes it unready and says why', async () => {
  const health = createHealth({ checkMs: 20 })
  health.add('database', () => 'connection refused')
  health.add('broker', () => Promise.reject(new Error('closed')))
  health.add('disk', () => new Promise(() => {}))
  health.add('loops', () => undefined)
  expect(await health.report()).toEqual({
    ready: false,
    status: 'not ready',
    checks: {
      database: 'connection refused',
      broker: 'closed',
      disk: 'no answer within 20 ms',
      loops: 'ok',
    },
  })
})

test('a service outside that is away makes it degraded, which is ready; its own trouble counts more', async () => {
  const health = createHealth()
  let own: string | undefined
  health.add('database', () => own)
  health.addOutside('policy', () => 'no answer')
  const checks = { database: 'ok', policy: 'no answer' }
  expect(await health.report()).toEqual({ ready: true, status: 'degraded', checks })
  own = 'refused'
  expect(await health.report()).toMatchObject({ ready: false, status: 'not ready' })
})

test('a name is taken once', () => {
  const health = createHealth()
  health.add('database', () => undefined)
  expect(() => health.add('database', () => undefined)).toThrow(/database/)
  expect(() => health.addOutside('database', () => undefined)).toThrow(/database/)
})
