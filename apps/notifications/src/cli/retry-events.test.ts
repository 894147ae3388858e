/** Events that are retried while others have them in hand. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openScene, type Scene } from '../../../../test/harness/scene.ts'
import { someoneWaits } from '../../../../test/harness/someone-waits.ts'
import { matchStore } from '../match/match-store.ts'
import { retryEvents } from './retry-events.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene('postgresql')
}, 300_000)
afterAll(() => scene?.close())
beforeEach(() => scene.empty())

const store = () => matchStore({ sql: scene.sql })
const states = () => scene.sql.query('SELECT state, claim FROM event_state')

/** An event that somebody has claimed, with what it matches. */
async function claimed() {
  const { uuid: subscription } = await scene.subscribe('t', 'ann')
  await scene.accept(scene.anEvent('t'))
  const [event] = await store().claimTogether(1)
  if (event === undefined) throw new Error('nothing was claimed')
  const matches = [{ subscription, owner: 'ann', disabled: false, failure: undefined }]
  return { event, matches, recovered: [], unreadable: null }
}

test('what it matched before it was retried counts no more', async () => {
  const matched = await claimed()
  await retryEvents(scene.sql, [matched.event.uuid])
  expect((await store().record([matched])).ages.size).toBe(0)
  expect(await states()).toEqual([{ state: 'new', claim: 2 }])
})

test('while what it matches is being stored a retry waits, and comes after it', async () => {
  const matched = await claimed()
  let retried: ReturnType<typeof retryEvents> | undefined
  await scene.sql.transaction(async (sql) => {
    const { ages } = await store().record([matched], undefined, sql)
    expect(ages.size).toBe(1)
    retried = retryEvents(await scene.home.another(), [matched.event.uuid])
    await someoneWaits(sql)
  })
  expect((await retried)?.events).toEqual([matched.event.uuid])
  expect(await states()).toEqual([{ state: 'new', claim: 2 }])
})

test('who holds the same events in another order does not make a retry fail', async () => {
  const events = [await scene.accept(scene.anEvent('t')), await scene.accept(scene.anEvent('t'))]
  const [first, second] = events.toSorted()
  const lock = 'SELECT FROM event_state WHERE event = $1 FOR UPDATE'
  let retried: ReturnType<typeof retryEvents> | undefined
  await scene.sql.transaction(async (sql) => {
    await sql.query("SET LOCAL deadlock_timeout = '10min'") // the retry notices it
    await sql.query(lock, [second])
    retried = retryEvents(await scene.home.another(), events)
    await someoneWaits(sql)
    await sql.query(lock, [first])
  })
  expect((await retried)?.events).toEqual([first, second])
})
