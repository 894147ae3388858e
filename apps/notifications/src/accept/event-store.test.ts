/** Events that are stored as claimed: who may match them, and when. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import { openScene, type Scene } from '../../../../test/harness/scene.ts'
import { matchStore } from '../match/match-store.ts'
import { eventStore } from './event-store.ts'

const hour = 3_600_000

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(() => scene.sql.query('TRUNCATE eventlog, event_state CASCADE'))

  const events = () => eventStore({ sql: scene.sql })
  const matching = () => matchStore({ sql: scene.sql, leaseMs: hour })
  const claimed = () =>
    scene.sql.query(
      `SELECT event AS uuid, claim, begun, due > now() + interval '30 minutes' AS is_leased FROM event_state`,
    )

  test('one that is stored as claimed is left alone until its lease ends, and then is anybody’s', async () => {
    const event = scene.anEvent('t')
    const [stored] = await events().insert([event], undefined, ['a trace'], hour)
    const uuid = stored?.uuid ?? ''
    expect(await claimed()).toEqual([{ uuid, claim: 1, begun: 1, is_leased: true }])
    expect(await matching().claimTogether(10)).toEqual([])
    await scene.sql.query("UPDATE event_state SET due = now() - interval '1 second'")
    const { text: jsondata, digest } = event
    const again = { uuid, jsondata, digest, trace: 'a trace', claim: 2, begun: 2 }
    expect(await matching().claimTogether(10)).toEqual([again])
    const nothing = { matches: [], recovered: [], unreadable: null }
    const late = await matching().record([{ event: { ...again, claim: 1 }, ...nothing }])
    expect(late.ages.size, 'the first claim counts no more').toBe(0)
    const record = await matching().record([{ event: again, ...nothing }])
    expect([...record.ages.keys()]).toEqual([uuid])
  })

  test('a state that has lost its event keeps no other one waiting, and is out of the way at last', async () => {
    const gone = [scene.anEvent('t'), scene.anEvent('t')]
    await events().insert(gone)
    await scene.sql.query('TRUNCATE eventlog CASCADE')
    const [stored] = await events().insert([scene.anEvent('t')])
    const claims = [await matching().claimTogether(2), await matching().claimTogether(2)]
    expect(claims.flat().map(({ uuid }) => uuid)).toEqual([stored?.uuid])
    await scene.sql.query(
      "UPDATE event_state SET begun = 8, due = now() - interval '1 second' WHERE event <> $1",
      [stored?.uuid],
    )
    expect(await matching().giveUp()).toHaveLength(2)
  })

  test('one that was not begun is handed back at once, and does not count as begun', async () => {
    const event = scene.anEvent('t')
    const [stored] = await events().insert([event], undefined, undefined, hour)
    const uuid = stored?.uuid ?? ''
    const { text: jsondata, digest } = event
    await matching().handBack([{ uuid, jsondata, digest, trace: null, claim: 1, begun: 1 }])
    expect(await matching().claimTogether(10)).toMatchObject([{ uuid, claim: 2, begun: 1 }])
  })

  test('one that comes again stays with whom it was stored for', async () => {
    const [free, taken] = [scene.anEvent('t'), scene.anEvent('t')]
    const [first] = await events().insert([free])
    const [second] = await events().insert([taken], undefined, undefined, hour)
    const again = await events().insert([free], undefined, undefined, hour)
    expect(again).toEqual([{ uuid: first?.uuid, repeated: true }])
    await events().insert([taken])
    const rows = await claimed()
    expect(rows).toContainEqual({ uuid: first?.uuid, claim: 0, begun: 0, is_leased: false })
    expect(rows).toContainEqual({ uuid: second?.uuid, claim: 1, begun: 1, is_leased: true })
    expect(await matching().claimTogether(10)).toMatchObject([{ uuid: first?.uuid, claim: 1 }])
  })
})
