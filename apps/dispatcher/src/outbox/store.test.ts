import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../../test/harness/index.ts'
import {
  type Arrival,
  acceptTask,
  claimTasks,
  noteTaken,
  recordResult,
  renewLeases,
} from '../tasks/store.ts'
import { settle } from '../tasks/task.ts'
import { markUpload } from '../tasks/upload-store.ts'
import {
  claimOutbox,
  type OutboxRow,
  postpone,
  readOutboxBacklog,
  releaseClaims,
  removePublished,
} from './store.ts'

const failed = settle({
  kind: 'threw',
  failure: { type: 'TypeError', value: 'no luck', traceback: 'at secret.ts' },
})
const done = settle({ kind: 'done' })

function arrival(parts: Partial<Arrival> = {}): Arrival {
  return {
    id: randomUUID(),
    delivery: { id: randomUUID(), replay: 0 },
    digest: 'd1',
    source: '/s',
    eventId: 'E-1',
    event: '{"a":1}',
    trace: undefined,
    ...parts,
  }
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let databases: MigratedDatabase
  let one: Database
  let two: Database

  beforeAll(async () => {
    databases = await openMigrated(engine, 'dispatcher')
    one = databases.database
    two = await databases.another()
  })
  afterAll(() => databases.close())
  beforeEach(() => one.query('TRUNCATE task, task_outbox CASCADE'))

  const claimTask = async () => {
    const options = { limit: 1, leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }
    const [task] = await claimTasks(one, options)
    if (task === undefined) throw new Error('there was no task to claim')
    return task
  }
  const all = () =>
    one.query<OutboxRow & { task: string; state: string }>('SELECT * FROM task_outbox ORDER BY seq')
  const states = async () => (await all()).map(({ state }) => state)
  const claim = (database: Database, limit = 100) =>
    claimOutbox(database, { limit, leaseMs: 60_000 })

  describe('what a task goes through is written down with it', () => {
    test('each change once, in order, and nothing for heartbeats and progress', async () => {
      await acceptTask(one, arrival())
      const task = await claimTask()
      await renewLeases(one, [task], 60_000)
      await noteTaken(one, task, { files: 2, bytes: 70 })
      const upload = { number: 1, last: true, unsure: false, jobId: 7, bundle: null }
      for (const state of ['begun', 'ending', 'sent', 'done'] as const)
        await markUpload(one, task, { ...upload, state, transaction: null })
      await recordResult(one, task, done)
      await recordResult(one, task, done)
      expect(await states()).toEqual(['waiting', 'running', 'running', 'done'])
      const { snapshot } = (await all()).at(-1) as OutboxRow
      expect(snapshot).toMatchObject({
        id: task.id,
        source: '/s',
        event_id: 'E-1',
        digest: 'd1',
        attempts: 1,
        files_taken: 2,
        bytes_taken: 70,
        bundles: [{ bundle: null, jobId: 7, transaction: null, unsure: false }],
      })
    })

    test('the event itself and the traceback are left out', async () => {
      await acceptTask(one, arrival({ event: `{"long":"${'x'.repeat(5_000)}"}` }))
      await recordResult(one, await claimTask(), failed)
      const { snapshot } = (await all()).at(-1) as OutboxRow
      expect(snapshot).toMatchObject({ exception_type: 'TypeError', exception_value: 'no luck' })
      expect(JSON.stringify(await all())).not.toMatch(/secret\.ts|xxxx/)
    })

    test('a task that was rolled back leaves nothing', async () => {
      const nothing = one.transaction(async (sql) => {
        await sql.query(
          `INSERT INTO task (id, digest, source, event_id, event) VALUES ($1, '', '', '', '')`,
          [randomUUID()],
        )
        throw new Error('no')
      })
      await expect(nothing).rejects.toThrow('no')
      expect(await all()).toEqual([])
    })

    test('a task begun again after its worker died is told again', async () => {
      await acceptTask(one, arrival())
      await claimTask()
      await one.query(`UPDATE task SET due = now() - interval '1 s'`)
      await claimTask()
      const attempts = (await all()).map(({ snapshot }) => snapshot.attempts)
      expect(attempts).toEqual([0, 1, 2])
    })
  })

  describe('to whom it is told', () => {
    const told = async () => (await all()).map(({ deliveries }) => deliveries)

    test('a new task to the delivery that brought it, once', async () => {
      const { delivery } = arrival()
      await acceptTask(one, arrival({ delivery }))
      expect(await told()).toEqual([[{ deliveryId: delivery?.id, replay: 0 }]])
    })

    test('a delivery that joins is told alone what the task has come to', async () => {
      const [first, second] = [arrival(), arrival()]
      await acceptTask(one, first)
      const task = await claimTask()
      await acceptTask(two, second)
      await recordResult(one, task, done)
      const [one_, two_] = [first, second].map(({ delivery }) => ({
        deliveryId: delivery?.id,
        replay: 0,
      }))
      expect(await told()).toEqual([[one_], [one_], [two_], [one_, two_]])
      expect(await states()).toEqual(['waiting', 'running', 'running', 'done'])
    })

    test('a delivery that comes twice is told once', async () => {
      const first = arrival()
      await acceptTask(one, first)
      await acceptTask(two, { ...first, id: randomUUID() })
      expect(await all()).toHaveLength(1)
    })

    test('a posted event has no delivery to tell', async () => {
      await acceptTask(one, arrival({ delivery: undefined }))
      expect(await told()).toEqual([[]])
    })
  })

  describe('who publishes it', () => {
    test('only the oldest of a task can be claimed, and the next when it is gone', async () => {
      const ids = [arrival(), arrival({ eventId: 'E-2', digest: 'd2' })]
      for (const each of ids) await acceptTask(one, each)
      await recordResult(one, await claimTask(), done)
      const first = await claim(one)
      expect(first.map(({ snapshot }) => [snapshot.id, snapshot.state])).toEqual([
        [ids[0]?.id, 'waiting'],
        [ids[1]?.id, 'waiting'],
      ])
      expect(await claim(two)).toEqual([])
      await removePublished(
        one,
        first.map(({ seq }) => seq),
      )
      const next = await claim(two)
      expect(next.map(({ snapshot }) => snapshot.state)).toEqual(['running'])
    })

    test('a claim whose holder died can be claimed again when the lease ends', async () => {
      await acceptTask(one, arrival())
      const [row] = await claim(one)
      expect(await claim(two)).toEqual([])
      await one.query(`UPDATE task_outbox SET due = now() - interval '1 s'`)
      const [again] = await claim(two)
      expect(again).toMatchObject({ seq: row?.seq, tries: 1 })
    })

    test('in a database of one process, what a dead one had claimed is free at once', async () => {
      await acceptTask(one, arrival())
      await claim(one)
      await releaseClaims(one)
      expect(await claim(one)).toHaveLength(1)
    })

    test('what could not be published waits, and holds up the later ones of its task alone', async () => {
      await acceptTask(one, arrival())
      await claimTask()
      await acceptTask(one, arrival({ eventId: 'E-2', digest: 'd2' }))
      const [stuck, other] = await claim(one)
      await postpone(one, [{ seq: stuck?.seq ?? 0, waitMs: 600_000 }])
      await removePublished(one, [other?.seq ?? 0])
      expect(await claim(one)).toEqual([])
      await postpone(one, [{ seq: stuck?.seq ?? 0, waitMs: -1 }])
      expect((await claim(one)).map(({ seq }) => seq)).toEqual([stuck?.seq])
    })

    test('the backlog is known', async () => {
      expect(await readOutboxBacklog(one)).toEqual({ waiting: 0, oldest: 0 })
      await acceptTask(one, arrival())
      expect(await readOutboxBacklog(one)).toMatchObject({ waiting: 1 })
    })
  })
})
