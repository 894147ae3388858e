import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../../test/harness/index.ts'
import { cancelledAmong, cancelTask } from './cancel.ts'
import {
  type Arrival,
  abandonTasks,
  acceptTask,
  claimTasks,
  type Held,
  noteProcess,
  readBacklog,
  recordResult,
  releaseOrphans,
  renewLeases,
  runningTasks,
} from './store.ts'
import { abandoned, settle } from './task.ts'

const failure = { type: 'Error', value: 'no luck', traceback: '' }
const failed = settle({ kind: 'threw', failure })
const done = settle({ kind: 'done' })
const later = settle({ kind: 'threw', failure, retry: { afterMs: 60_000 } })
const crashed = settle({ kind: 'crashed', failure })

function arrival(parts: Partial<Arrival> = {}): Arrival {
  return {
    id: randomUUID(),
    delivery: { id: randomUUID(), replay: 0 },
    digest: 'd1',
    source: '/s',
    eventId: 'E-1',
    event: '{}',
    trace: undefined,
    ...parts,
  }
}

function claimed(database: Database, parts: Partial<Parameters<typeof claimTasks>[1]> = {}) {
  const defaults = { limit: 10, leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }
  return claimTasks(database, { ...defaults, ...parts })
}

/** As if the lease had run out: the clock is the database's, so the row is moved, not the clock. */
async function expire(database: Database, id: string): Promise<void> {
  await database.query(`UPDATE task SET due = now() - interval '1 s' WHERE id = $1`, [id])
}

async function stateOf(database: Database, id: string) {
  const rows = await database.query<{ state: string; attempts: number; exception_type: string }>(
    'SELECT state, attempts, exception_type FROM task WHERE id = $1',
    [id],
  )
  return rows[0]
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
  beforeEach(() => one.query('TRUNCATE task CASCADE'))

  test('no more bytes come into hand than there is room for, in order; what never fits is claimed', async () => {
    const sizes = { first: 60, wide: 50, huge: 101, small: 1 }
    for (const [eventId, size] of Object.entries(sizes)) {
      await acceptTask(one, arrival({ eventId, digest: eventId, size }))
    }
    const claim = async (bytes: number) => {
      const tasks = await claimed(one, { room: { bytes, most: 100 } })
      return tasks.map(({ size }) => size).sort()
    }
    expect(await claim(100)).toEqual([101, 60])
    expect(await claim(40)).toEqual([])
    expect(await claim(100)).toEqual([1, 50])
  })

  describe('an event becomes a task once', () => {
    test('the same delivery, brought twice, has one task', async () => {
      const first = arrival()
      expect(await acceptTask(one, first)).toEqual({ taskId: first.id, isNew: true })
      const again = { ...first, id: randomUUID() }
      expect(await acceptTask(two, again)).toEqual({ taskId: first.id, isNew: false })
    })

    test('it keeps its task also when that has failed', async () => {
      const first = arrival()
      await acceptTask(one, first)
      const [task] = await claimed(one)
      await recordResult(one, task as Held, failed)
      const again = await acceptTask(one, { ...first, id: randomUUID() })
      expect(again).toEqual({ taskId: first.id, isNew: false })
    })

    test.each(['waiting', 'running', 'retrying', 'done'])(
      'another delivery of the event joins the task while it is %s',
      async (state) => {
        const first = arrival()
        await acceptTask(one, first)
        if (state !== 'waiting') await claimed(one)
        if (state === 'done') await recordResult(one, { id: first.id, claim: 1 }, done)
        if (state === 'retrying') await recordResult(one, { id: first.id, claim: 1 }, later)
        const other = arrival()
        expect((await acceptTask(one, other)).taskId).toBe(first.id)
        const otherAgain = await acceptTask(one, { ...other, id: randomUUID() })
        expect(otherAgain.taskId).toBe(first.id)
      },
    )

    test('a posted event counts as a first delivery', async () => {
      const posted = arrival({ delivery: undefined })
      expect((await acceptTask(one, posted)).isNew).toBe(true)
      expect((await acceptTask(one, arrival({ delivery: undefined }))).taskId).toBe(posted.id)
      expect((await acceptTask(one, arrival())).taskId).toBe(posted.id)
    })

    test.each(['unrouted', 'failed', 'timed-out', 'cancelled'])(
      'an event whose task is %s gets a new one with the next delivery',
      async (state) => {
        const first = arrival()
        await acceptTask(one, first)
        await one.query('UPDATE task SET state = $1', [state])
        const next = arrival()
        expect(await acceptTask(one, next)).toEqual({ taskId: next.id, isNew: true })
      },
    )

    test('an explicit replay is a new task, each once, and later deliveries join the newest', async () => {
      const first = arrival()
      await acceptTask(one, first)
      const replay = (number: number) =>
        arrival({ delivery: { id: first.delivery?.id ?? '', replay: number } })
      const second = replay(1)
      expect((await acceptTask(one, second)).taskId).toBe(second.id)
      expect((await acceptTask(one, replay(1))).taskId).toBe(second.id)
      const third = replay(2)
      expect((await acceptTask(one, third)).taskId).toBe(third.id)
      expect((await acceptTask(one, arrival())).taskId).toBe(third.id)
    })

    test('other bytes under the same source and id are another event', async () => {
      await acceptTask(one, arrival())
      expect((await acceptTask(one, arrival({ digest: 'd2' }))).isNew).toBe(true)
    })

    test('many deliveries and repeats at the same time, by two processes, make one task', async () => {
      const deliveries = Array.from({ length: 20 }, () => arrival())
      const repeats = deliveries.map((each) => ({ ...each, id: randomUUID() }))
      const accepted = await Promise.all(
        [...deliveries, ...repeats].map((each, index) =>
          acceptTask(index % 2 === 0 ? one : two, each),
        ),
      )
      expect(new Set(accepted.map(({ taskId }) => taskId)).size).toBe(1)
      expect(accepted.filter(({ isNew }) => isNew)).toHaveLength(1)
      expect(await readBacklog(one)).toMatchObject({ waiting: 1 })
    })

    test('repeats of one replay at the same time make one task', async () => {
      const first = arrival()
      await acceptTask(one, first)
      const delivery = { id: first.delivery?.id ?? '', replay: 1 }
      const accepted = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          acceptTask(index % 2 === 0 ? one : two, arrival({ delivery })),
        ),
      )
      expect(new Set(accepted.map(({ taskId }) => taskId)).size).toBe(1)
      expect(await readBacklog(one)).toMatchObject({ waiting: 2 })
    })
  })

  describe('a claim is a lease', () => {
    test('the oldest come first, no more than asked for, each with a higher claim', async () => {
      const arrivals = ['a', 'b', 'c'].map((digest) => arrival({ digest, event: digest }))
      for (const each of arrivals) await acceptTask(one, each)
      const first = await claimed(one, { limit: 2 })
      expect(first.map(({ event, claim, attempts }) => [event, claim, attempts])).toEqual(
        expect.arrayContaining([
          ['a', 1, 1],
          ['b', 1, 1],
        ]),
      )
      expect((await claimed(two)).map(({ event }) => event)).toEqual(['c'])
      expect(await claimed(one)).toEqual([])
    })

    test('two processes that claim at the same time never get the same task', async () => {
      for (let n = 0; n < 40; n += 1) await acceptTask(one, arrival({ digest: `d${n}` }))
      const hands = await Promise.all(
        Array.from({ length: 16 }, (_, index) => claimed(index % 2 ? one : two, { limit: 3 })),
      )
      const ids = hands.flat().map(({ id }) => id)
      expect(ids).toHaveLength(40)
      expect(new Set(ids).size).toBe(40)
    })

    test('what a dead worker held is claimed again, and its late result is refused', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const [dead] = await claimed(one)
      expect(await claimed(two)).toEqual([])
      await expire(one, id)
      const [alive] = await claimed(two)
      expect(alive).toMatchObject({ id, claim: 2, attempts: 2 })
      expect(await recordResult(one, dead as Held, failed)).toBe(false)
      expect(await renewLeases(one, [dead as Held], 60_000)).toEqual(new Set())
      expect(await recordResult(two, alive as Held, done)).toBe(true)
      expect(await stateOf(one, id)).toMatchObject({ state: 'done', exception_type: null })
    })

    test('a heartbeat keeps the lease, also one that ran out and that nobody took', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const [held] = await claimed(one, { leaseMs: 0 })
      expect(await renewLeases(one, [held as Held], 60_000)).toEqual(new Set([id]))
      expect(await claimed(two)).toEqual([])
    })

    // Embedded there is one session: nobody holds a row while somebody else asks.
    if (engine === 'postgresql')
      test('a heartbeat waits for nobody: what others hold at the moment stays ours until the next one', async () => {
        await acceptTask(one, arrival())
        await acceptTask(one, arrival({ digest: 'd2' }))
        const held = await claimed(one, { leaseMs: 0 })
        const ids = held.map(({ id }) => id)
        const [first = ''] = ids
        const dueIds = async () => (await claimed(two, { leaseMs: 0 })).map(({ id }) => id)
        await two.transaction(async (sql) => {
          await sql.query('SELECT FROM task WHERE id = $1 FOR UPDATE', [first])
          expect(await renewLeases(one, held, 60_000)).toEqual(new Set(ids))
        })
        expect(await dueIds()).toEqual([first])
      })

    test('a worker never claims from itself', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      await claimed(one, { leaseMs: 0 })
      expect(await claimed(one, { except: [id] })).toEqual([])
      expect(await claimed(two)).toHaveLength(1)
    })

    test('a result may be stored twice, as after a commit whose answer was lost', async () => {
      await acceptTask(one, arrival())
      const [held] = await claimed(one)
      expect(await recordResult(one, held as Held, failed)).toBe(true)
      expect(await recordResult(one, held as Held, failed)).toBe(true)
      expect(await recordResult(one, held as Held, done)).toBe(false)
    })

    test('a task handed back in order waits again and does not count as begun', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const [held] = await claimed(one)
      const back = settle({ kind: 'interrupted' })
      await recordResult(one, held as Held, back)
      expect(await recordResult(one, held as Held, back)).toBe(true)
      expect(await stateOf(one, id)).toMatchObject({ state: 'waiting', attempts: 0 })
      expect(await claimed(two)).toMatchObject([{ id, claim: 2, attempts: 1 }])
    })

    test('a task that is to be tried again waits until then, and keeps why', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const [held] = await claimed(one)
      expect(await recordResult(one, held as Held, later)).toBe(true)
      expect(await recordResult(one, held as Held, later)).toBe(true)
      expect(await stateOf(one, id)).toMatchObject({
        ...{ state: 'retrying', attempts: 0, exception_type: 'Error' },
      })
      expect(await claimed(two)).toEqual([])
      await expire(one, id)
      expect(await claimed(two)).toMatchObject([{ id, claim: 2, attempts: 1, retries: 1 }])
      expect(await recordResult(one, held as Held, later)).toBe(false)
    })

    test('a crash costs a start', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const [held] = await claimed(one)
      await recordResult(one, held as Held, crashed)
      await expire(one, id)
      expect(await claimed(two)).toMatchObject([{ id, attempts: 2, retries: 0 }])
    })

    test('where a handler runs is known to whoever takes the task up, and only then', async () => {
      const record = { host: 'here', group: 7, started: 9, mark: 'm' }
      await acceptTask(one, arrival())
      const [first] = await claimed(one, { leaseMs: 0 })
      expect(first).toMatchObject({ process: null, cancelled: false })
      expect(await noteProcess(one, first as Held, record)).toBe(true)
      const [second] = await claimed(two)
      expect(second).toMatchObject({ process: record })
      expect(await noteProcess(one, first as Held, record)).toBe(false)
      await recordResult(two, second as Held, settle({ kind: 'interrupted' }))
      expect(await claimed(one)).toMatchObject([{ process: null }])
    })

    test('a task begun too often without an end fails with the reason, and its last holder is refused', async () => {
      const { id } = arrival()
      await acceptTask(one, arrival({ id }))
      const options = { maxStarts: 2, except: [] }
      const [first] = await claimed(one, { maxStarts: 2, leaseMs: 0 })
      expect(await abandonTasks(one, options, abandoned(2))).toEqual([])
      const [last] = await claimed(one, { maxStarts: 2, leaseMs: 0 })
      expect(await claimed(one, { maxStarts: 2 })).toEqual([])
      expect(await abandonTasks(one, { ...options, except: [id] }, abandoned(2))).toEqual([])
      expect(await abandonTasks(two, options, abandoned(2))).toEqual([id])
      expect(await stateOf(one, id)).toMatchObject({ exception_type: 'TaskAbandonedError' })
      for (const held of [first, last]) {
        expect(await recordResult(one, held as Held, done)).toBe(false)
      }
    })
  })

  describe('cancelling', () => {
    test('ends what waits at once, and whatever is tried again', async () => {
      for (const state of ['waiting', 'retrying']) {
        const { id } = arrival()
        await acceptTask(one, arrival({ id, digest: state }))
        const [held] = state === 'retrying' ? await claimed(one) : []
        if (held) await recordResult(one, held, later)
        expect(await cancelTask(two, id)).toBe('cancelled')
        expect(await cancelTask(two, id)).toBe(undefined)
        expect(await stateOf(one, id)).toMatchObject({
          ...{ state: 'cancelled', exception_type: 'TaskCancelledError' },
        })
      }
      expect(await claimed(one)).toEqual([])
    })

    test('tells who runs the task, whose result stands all the same', async () => {
      await acceptTask(one, arrival())
      const [held] = await claimed(one)
      const id = held?.id ?? ''
      expect(await cancelledAmong(one, [id])).toEqual(new Set())
      expect(await cancelTask(two, id)).toBe('running')
      expect(await cancelledAmong(one, [id])).toEqual(new Set([id]))
      expect(await recordResult(one, held as Held, done)).toBe(true)
      expect(await stateOf(one, id)).toMatchObject({ state: 'done', exception_type: null })
    })

    test('of a task that is put back meanwhile is found by the next to claim it, at once', async () => {
      await acceptTask(one, arrival())
      const [held] = await claimed(one)
      await cancelTask(two, held?.id ?? '')
      await recordResult(one, held as Held, later)
      expect(await claimed(two)).toMatchObject([{ id: held?.id, cancelled: true }])
    })
  })

  test('at the start of an engine that nobody else can have open, every lease ends', async () => {
    await acceptTask(one, arrival())
    const [held] = await claimed(one)
    expect(await runningTasks(one)).toMatchObject([{ id: held?.id, claim: 1 }])
    expect(await releaseOrphans(one)).toBe(1)
    expect(await claimed(one)).toHaveLength(1)
  })

  test('the backlog is counted over all processes', async () => {
    for (const digest of ['a', 'b', 'c']) await acceptTask(one, arrival({ digest }))
    await claimed(two, { limit: 1 })
    const { waiting, running, oldest } = await readBacklog(one)
    expect([waiting, running]).toEqual([2, 1])
    expect(oldest).toBeGreaterThan(0)
  })
})

test('on PostgreSQL a claim neither waits for another that is not committed yet, nor takes the same', async () => {
  const databases = await openMigrated('postgresql', 'dispatcher')
  try {
    const [one, two] = [databases.database, await databases.another()]
    for (const digest of ['a', 'b', 'c']) await acceptTask(one, arrival({ digest }))
    const [mine, theirs] = await one.transaction(async (sql) => {
      const options = { leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }
      const first = await claimTasks(sql, { ...options, limit: 2 })
      return [first, await claimed(two)]
    })
    expect([mine.length, theirs.length]).toEqual([2, 1])
    expect(mine.map(({ id }) => id)).not.toContain(theirs[0]?.id)
  } finally {
    await databases.close()
  }
})
