import { expect, test } from 'vitest'
import { recordLog } from '../telemetry/recorded-log.ts'
import { insist } from './insist.ts'

const away = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
const again = { firstMs: 1, maxMs: 2 }

/** Fails so often, then succeeds. */
function work(failures: number, error: () => Error = away) {
  let tries = 0
  return {
    get tries() {
      return tries
    },
    async try() {
      tries += 1
      if (tries <= failures) throw error()
      return 'recorded'
    },
  }
}

function options(signal = new AbortController().signal) {
  const recorded = recordLog()
  return { what: 'a result', signal, again, log: recorded.log, recorded }
}

test('what cannot be recorded because the database is away is recorded when it is back, and each failure is logged', async () => {
  const given = options()
  const record = work(3)
  expect(await insist(() => record.try(), given)).toBe('recorded')
  expect(given.recorded.lines()).toMatchObject(
    [1, 2, 3].map((failures) => ({ msg: 'record.database_failed', what: 'a result', failures })),
  )
})

test('any other error ends it at once', async () => {
  const record = work(3, () => new Error('a mistake'))
  await expect(insist(() => record.try(), options())).rejects.toThrow('a mistake')
  expect(record.tries).toBe(1)
})

test('when its time is over it gives up with the last error', async () => {
  const record = work(Number.POSITIVE_INFINITY)
  const soon = { ...options(), withinMs: 30 }
  await expect(insist(() => record.try(), soon)).rejects.toThrow('ECONNREFUSED')
  const late = work(1)
  await expect(insist(() => late.try(), { ...soon, withinMs: 0 })).rejects.toThrow('ECONNREFUSED')
  expect(late.tries).toBe(1)
})

test('a signal ends the waiting: it is tried once more, and then no more', async () => {
  const stop = new AbortController()
  const record = work(Number.POSITIVE_INFINITY)
  const patient = { ...options(stop.signal), again: { firstMs: 600_000, maxMs: 600_000 } }
  const insisting = insist(() => record.try(), patient)
  stop.abort()
  await expect(insisting).rejects.toThrow('ECONNREFUSED')
  expect(record.tries).toBeLessThanOrEqual(2)
})
