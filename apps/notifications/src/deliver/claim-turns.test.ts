/** Claims of several processes: after one was late, the next ones take their turn first, and none of them is late. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Sql } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillDue, type MigratedDatabase, someoneWaits } from '../../../../test/harness/index.ts'
import { openScene, type Scene } from '../../../../test/harness/scene.ts'
import { type ClaimedDelivery, type Look, lookAtDue } from './claim.ts'
import { type ClaimTurns, claimTurns } from './claim-turns.ts'
import { inFlight } from './in-flight.ts'
import { followAll } from './lanes.ts'

const caps = { subscription: 5, host: 100, owner: 100 }
const limits = { leaseMs: 3_600_000, policyTtlMs: 60_000, caps }

const REQUEST = { subscription: 's', host: 'h', owner: 'ann' } as ClaimedDelivery

let scene: Scene
let home: MigratedDatabase
beforeAll(async () => {
  scene = await openScene('postgresql')
  home = scene.home
  await fillDue(home.database, { name: 's', count: 20, targetUrl: 'http://h.example.org/' })
  await followAll(home.database)
}, 300_000)
afterAll(() => scene?.close())

/** Claims with `inTurn` while somebody else has the turn, claims `others` and commits. */
async function claimBehind(inTurn: ClaimTurns, others: number): Promise<Look> {
  const { claim } = await (await home.another()).transaction(async (sql) => {
    await sql.query('SELECT FROM claim_turn FOR UPDATE')
    const claim = inTurn((within) => lookAtDue(within, { ...limits, limit: 20 }))
    await Promise.race([someoneWaits(home.database), claim])
    await claimed(sql, others)
    await sql.query('UPDATE claim_turn SET turn = turn + 1')
    return { claim }
  })
  return claim
}

async function claimed(sql: Sql, count: number): Promise<void> {
  await sql.query(
    `UPDATE delivery SET state = 'delivering', due = now() + interval '1 hour', claim = claim + 1
     WHERE uuid IN (SELECT uuid FROM delivery WHERE state = 'pending' LIMIT $1)`,
    [count],
  )
}

test('a claim behind another one is late; the next one waits, and counts what the other has taken', async () => {
  let now = 0
  const inTurn = claimTurns({ database: home.database, now: () => now, inFlight: inFlight() })
  expect(await claimBehind(inTurn, 1)).toMatchObject({ late: true, claimed: [] })
  const second = await claimBehind(inTurn, 1)
  expect(second.late).toBe(false)
  expect(second.claimed, 'the cap is five, two are in flight').toHaveLength(3)
  now += 10_000 // it is tried in one statement again
  await home.database.query(
    `UPDATE delivery SET state = 'delivered', due = NULL WHERE state = 'delivering'`,
  )
  await followAll(home.database)
  expect(await claimBehind(inTurn, 1)).toMatchObject({ late: true, claimed: [] })
}, 120_000)

test('who takes the turn and falls silent loses it, and the others go on', async () => {
  const requests = inFlight()
  const turnsFirst = async () => {
    const database = await home.another()
    const inTurn = claimTurns({
      ...{ database, inFlight: requests },
      now: () => performance.now(),
    })
    await inTurn(async () => ({ late: true, claimed: [] }))
    return inTurn
  }
  const [silent, other] = [await turnsFirst(), await turnsFirst()]
  let speak = () => {}
  const silence = new Promise<void>((resolve) => {
    speak = resolve
  })
  const frozen = silent(async () => {
    await silence
    return { late: false, claimed: [REQUEST] }
  })
  const lost = expect(frozen).rejects.toThrow()
  const FREE = 'SELECT turn FROM claim_turn FOR UPDATE SKIP LOCKED'
  while ((await home.database.query(FREE)).length > 0) await pause(10)
  expect(await other((sql) => lookAtDue(sql, { ...limits, limit: 1 }))).toMatchObject({
    late: false,
  })
  const before = requests.own
  speak()
  await lost
  expect(requests.own, 'what was rolled back is not in flight').toEqual(before)
}, 120_000)

test('the leases of a claim do not end earlier than those who hold them believe', async () => {
  const inTurn = claimTurns({
    ...{ database: home.database, inFlight: inFlight() },
    now: () => performance.now(),
  })
  await claimBehind(inTurn, 1) // from now on the turn comes first
  const began = await inTurn(async (sql, begunAt) => {
    const [row] = await sql.query<{ agoMs: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - now())::float8 * 1000 AS "agoMs"`,
    )
    return { late: false, claimed: [], ofDatabase: performance.now() - (row?.agoMs ?? 0), begunAt }
  })
  const slackMs = 5 // of two clocks, and the way back
  expect(began.begunAt).toBeLessThanOrEqual(began.ofDatabase + slackMs)
}, 120_000)

test('what a claim has taken is in flight before the next claim is made', async () => {
  const requests = inFlight()
  const inTurn = claimTurns({
    ...{ database: home.database, inFlight: requests },
    now: () => performance.now(),
  })
  const seen = () =>
    inTurn(async () => ({ late: false, claimed: [REQUEST], own: requests.own.lanes }))
  const [first, second] = await Promise.all([seen(), seen()])
  expect([first.own, second.own]).toEqual(['{}', '{"s":1}'])
})
