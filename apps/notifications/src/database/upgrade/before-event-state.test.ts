/** An upgrade in place from the version that kept an event's state in `eventlog`. */
import { migrate } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { ENGINES, openMigrated } from '../../../../../test/harness/index.ts'
import { findEvent } from '../../history/find-event.ts'
import { matchStore } from '../../match/match-store.ts'
import { MIGRATIONS } from '../migrations.ts'

const EVENTS = `
  INSERT INTO eventlog (uuid, jsondata, created, digest, state, reason, matched, match_count, match_claim, match_begun, match_due)
  VALUES
    (md5('due')::uuid, '{}', '2026-01-01Z', 'due', 'new', NULL, NULL, NULL, 0, 0, now()),
    (md5('left')::uuid, '{}', '2026-01-02Z', 'left', 'new', NULL, NULL, NULL, 7, 2, now() - interval '1 second'),
    (md5('alone')::uuid, '{}', '2026-01-01Z', 'alone', 'new', NULL, NULL, NULL, 3, 3, now()),
    (md5('leased')::uuid, '{}', '2026-01-01Z', 'leased', 'new', NULL, NULL, NULL, 1, 1, now() + interval '1 hour'),
    (md5('done')::uuid, '{}', '2026-01-03Z', 'done', 'matched', NULL, '2026-01-02Z', 3, 1, 1, NULL),
    (md5('stuck')::uuid, '{}', '2026-01-01Z', 'stuck', 'unmatchable', 'begun 8 times', NULL, NULL, 8, 8, NULL)`

test.each(ENGINES)(
  'on the %s engine events go on where they were',
  async (engine) => {
    const home = await openMigrated(engine, 'notifications', { before: '20261122t_event_state' })
    const { database } = home
    try {
      await database.query(EVENTS)
      await migrate(database, MIGRATIONS)
      const times = 'SELECT FROM event_state JOIN eventlog ON uuid = event WHERE received = created'
      expect(await database.query(times)).toHaveLength(6)
      const store = matchStore({ sql: database })
      const together = await store.claimTogether(10)
      expect(together.map(({ digest, claim, begun }) => [digest, claim, begun]).sort()).toEqual([
        ['due', 1, 1],
        ['left', 8, 3],
      ])
      expect(await store.claimAlone()).toMatchObject([{ digest: 'alone', claim: 4, begun: 4 }])
      const [ids] = await database.query<{ done: string; stuck: string }>(
        "SELECT md5('done')::uuid AS done, md5('stuck')::uuid AS stuck",
      )
      const shown = (uuid = '') => findEvent(database, uuid, { user: 'root', admin: true })
      const done = { state: 'matched', matched: new Date('2026-01-02Z'), matchCount: 3 }
      expect(await shown(ids?.done)).toMatchObject(done)
      const stuck = { state: 'unmatchable', reason: 'begun 8 times', matched: null }
      expect(await shown(ids?.stuck)).toMatchObject(stuck)
    } finally {
      await home.close()
    }
  },
  120_000,
)
