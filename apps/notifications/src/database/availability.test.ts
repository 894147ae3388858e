import { sleep } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import {
  DatabaseUnavailableError,
  DatabaseWatch,
  refuseWhileAway,
  tellUnavailable,
} from './availability.ts'

let answers: boolean
let asked: number
let backs: number
let watch: DatabaseWatch
let stop: AbortController
let running: Promise<void>

beforeEach(() => {
  ;[answers, asked, backs] = [true, 0, 0]
  stop = new AbortController()
  watch = new DatabaseWatch({
    log: silentLog,
    async check() {
      asked += 1
      if (!answers) throw new Error('no answer')
    },
  })
  watch.onBack(() => {
    backs += 1
  })
  running = watch.run(stop.signal)
})
afterEach(async () => {
  stop.abort()
  await running
})

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 20_000) throw new Error('it did not come about')
    await sleep(5)
  }
}

test('a database that is lost is asked until it answers, then everybody is told', async () => {
  answers = false
  watch.lost(new Error('gone'))
  expect(watch.away).toBe(true)
  await until(() => asked >= 2)
  expect([watch.away, backs]).toEqual([true, 0])
  answers = true
  await until(() => !watch.away)
  expect(backs).toBe(1)
})

test('a mere suspicion is looked into, and changes nothing when the database answers', async () => {
  watch.suspect()
  await until(() => asked === 1)
  expect([watch.away, backs]).toEqual([false, 0])
  answers = false
  watch.suspect()
  await until(() => watch.away)
})

test('a database that answers and yet fails is asked ever more seldom', async () => {
  const began = performance.now()
  for (let time = 0; time < 4; time += 1) {
    watch.lost(new Error('disk full'))
    await until(() => !watch.away)
  }
  expect(performance.now() - began).toBeGreaterThan(200 + 400 + 800 + 1_600 - 500)
})

test('routes that need the database are refused at once while it is away, and no others', () => {
  const refuse = refuseWhileAway({ away: true })
  const passed: (string | undefined)[] = []
  const request = (url: string | undefined, by = refuse) =>
    by({ routeOptions: { url } }, undefined, () => passed.push(url))
  for (const url of ['/eventmatch', '/eventmatch/:uuid', '/events', '/events/:uuid'])
    expect(() => request(url)).toThrow(DatabaseUnavailableError)
  const others = ['/receive', '/healthz', '/readyz', '/metrics', '/docs', undefined]
  for (const url of others) request(url)
  request('/events', refuseWhileAway({ away: false }))
  expect(passed).toEqual([...others, '/events'])
})

test('errors of an unavailable database are told as one, a client that hangs up is not', () => {
  const tell = tellUnavailable(watch)
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  expect(tell(refused)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryAfterS: 5 })
  expect(tell(Object.assign(new Error('x'), { cause: { code: '57P01' } }))).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  })
  const hungUp = Object.assign(new Error('aborted'), { code: 'ECONNRESET', statusCode: 400 })
  for (const other of [hungUp, new Error('bug'), 'text']) expect(tell(other)).toBe(other)
})
