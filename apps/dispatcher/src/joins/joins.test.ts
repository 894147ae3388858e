/** Joins over their tables, on both engines: what becomes of events, of their tasks and of their joins. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { claimOutbox, type OutboxRow, removePublished } from '../outbox/store.ts'
import { purgeStep } from '../tasks/purge.ts'
import { addDryRun, retryTask } from '../tasks/repeat.ts'
import {
  acceptTask,
  type ClaimedTask,
  claimTasks,
  noteProcess,
  recordResult,
} from '../tasks/store.ts'
import { CANCELLED, settle } from '../tasks/task.ts'
import { cancelJoin, endDue, nextDeadline } from './end.ts'
import { type Filled, fillSlot, type Place } from './fill.ts'
import { listJoins, readJoin, readJoinBacklog } from './list.ts'
import { readJoined } from './read.ts'
import { withdraw } from './withdraw.ts'

const CLAIM = { limit: 99, leaseMs: 3_600_000, maxStarts: 3, worker: 'me', except: [] }
const HOUR = 3_600_000

function placeIn(slot: string, parts: Partial<Place> = {}): Place {
  return {
    ...{ name: 'pair', slot, key: 'K', slots: ['raw', 'dark'], deadlineMs: HOUR },
    ...{ atDeadline: 'run', onDuplicate: 'keep', onLate: 'open', ...parts },
  }
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let one: Database
  let two: Database

  beforeAll(async () => {
    home = await openMigrated(engine, 'dispatcher')
    one = home.database
    two = await home.another()
  }, 300_000)
  afterAll(() => home?.close())
  beforeEach(() => one.script('TRUNCATE task, task_join CASCADE; TRUNCATE task_outbox'))

  /** An event that came in, and was begun. */
  async function begun(eventId: string, size = 5, database = one): Promise<ClaimedTask> {
    const event = JSON.stringify({ specversion: '1.0', id: eventId, source: '/s', type: 't' })
    const delivery = { id: randomUUID(), replay: 1 }
    const arrival = { delivery, digest: eventId, source: '/s', eventId, event, trace: undefined }
    const { taskId } = await acceptTask(database, { id: randomUUID(), ...arrival, size })
    const task = (await claimTasks(database, CLAIM)).find(({ id }) => id === taskId)
    if (task === undefined) throw new Error('it was not claimed')
    return task
  }
  const fill = (task: ClaimedTask, place: Place, database = one): Promise<Filled> =>
    fillSlot(database, task, place, randomUUID)
  async function joined(task: ClaimedTask, place: Place): Promise<string> {
    const filled = await fill(task, place)
    if (filled.kind !== 'joined') throw new Error(JSON.stringify(filled))
    return filled.join
  }
  async function rowOf(id: string) {
    const [row] = await one.query<{ state: string; joined: string | null; value: string | null }>(
      'SELECT state, joined, settled, exception_type AS type, exception_value AS value FROM task WHERE id = $1',
      [id],
    )
    return row
  }
  /** What has been told since this was asked last. */
  async function toldSince() {
    const told: OutboxRow[] = []
    for (;;) {
      const claimed = await claimOutbox(one, { limit: 99, leaseMs: 60_000 })
      if (claimed.length === 0) return told
      await removePublished(
        one,
        claimed.map(({ seq }) => seq),
      )
      told.push(...claimed)
    }
  }
  const statesOf = (...tasks: readonly ClaimedTask[]) =>
    Promise.all(tasks.map(async ({ id }) => (await rowOf(id))?.state))
  const joins = () => listJoins(one, {}, { limit: 9, cursor: undefined })
  const due = () => endDue(one, ['pair'], randomUUID)
  const pass = () => one.query(`UPDATE task_join SET deadline = now() - interval '1 h'`)

  test('the last event makes a task of all of them, and ends the tasks that brought them', async () => {
    const [raw, dark] = [await begun('raw-1', 5), await begun('dark-1', 7)]
    const join = await joined(raw, placeIn('raw'))
    expect(await rowOf(raw.id)).toMatchObject({ state: 'joined', joined: join, settled: null })
    expect(await claimTasks(one, CLAIM)).toEqual([])
    expect(await fill(dark, placeIn('dark'))).toMatchObject({ join, did: 'fill', complete: true })
    expect(await statesOf(raw, dark)).toEqual(['done', 'done'])
    const [run, ...others] = await claimTasks(one, CLAIM)
    expect(others).toEqual([])
    expect(run).toMatchObject({ kind: 'join', joinRun: join, size: 12 })
    expect(JSON.parse(run?.event ?? '')).toMatchObject({
      source: '/joins/pair',
      id: join,
      data: {
        key: 'K',
        events: [{ slot: 'raw', eventID: 'raw-1' }, { slot: 'dark' }],
        missing: [],
      },
    })
    const { events, ...named } = await readJoined(one, join)
    expect(named).toEqual({ join: 'pair', key: 'K' })
    expect([events['raw']?.id, events['dark']?.id]).toEqual(['raw-1', 'dark-1'])
    expect(await readJoin(one, join)).toMatchObject({ state: 'complete', task: run?.id })
  })

  test('what becomes of the run is told to all deliveries that brought an event for it', async () => {
    const [raw, dark] = [await begun('raw-1'), await begun('dark-1')]
    await fill(raw, placeIn('raw'))
    await fill(dark, placeIn('dark'))
    const [run] = await claimTasks(one, CLAIM)
    if (run === undefined) throw new Error('no run')
    await recordResult(one, run, settle({ kind: 'done' }))
    const told = await toldSince()
    const ofRun = told.filter(({ snapshot }) => snapshot.id === run.id)
    expect(ofRun.map(({ snapshot }) => snapshot.state)).toEqual(['waiting', 'running', 'done'])
    expect(ofRun.map(({ deliveries }) => deliveries.length)).toEqual([2, 2, 2])
    const ofRaw = told.filter(({ snapshot }) => snapshot.id === raw.id)
    expect(ofRaw.map(({ snapshot }) => snapshot.state)).toEqual([
      ...['waiting', 'running', 'joined', 'done'],
    ])
  })

  test('also to a delivery that brings an event of it when the run is over', async () => {
    const [raw, dark] = [await begun('raw-1'), await begun('dark-1')]
    await fill(raw, placeIn('raw'))
    await fill(dark, placeIn('dark'))
    const [run] = await claimTasks(one, CLAIM)
    if (run === undefined) throw new Error('no run')
    const failure = { type: 'Error', value: 'no luck', traceback: '' }
    await recordResult(one, run, settle({ kind: 'threw', failure }))
    await toldSince()
    const late = { id: randomUUID(), replay: 0 }
    const accepted = await acceptTask(one, {
      ...{ id: randomUUID(), delivery: late, digest: 'raw-1', source: '/s', eventId: 'raw-1' },
      ...{ event: '{}', trace: undefined },
    })
    expect(accepted).toEqual({ taskId: raw.id, isNew: false })
    const told = (await toldSince()).toSorted((a, b) => a.seq - b.seq)
    expect(told.map(({ snapshot }) => [snapshot.id, snapshot.state])).toEqual([
      [raw.id, 'done'],
      [run.id, 'failed'],
    ])
    for (const { deliveries } of told) {
      expect(deliveries).toEqual([{ deliveryId: late.id, replay: 0 }])
    }
  })

  test('keys and joins are kept apart', async () => {
    const places = [{}, { key: 'other' }, { name: 'other' }]
    const found = []
    for (const [index, parts] of places.entries()) {
      found.push(await joined(await begun(`raw-${index}`), placeIn('raw', parts)))
    }
    expect(new Set(found).size).toBe(3)
    const list = (filter: object) => listJoins(one, filter, { limit: 9, cursor: undefined })
    const ids = async (filter: object) => (await list(filter)).map(({ id }) => id)
    expect(await ids({ key: 'other' })).toEqual([found[1]])
    expect(await ids({ name: 'other', states: ['open'] })).toEqual([found[2]])
    expect(await ids({ states: ['complete'] })).toEqual([])
  })

  test('a claim that is lost, or a task that is to be cancelled, puts nothing into a slot', async () => {
    const task = await begun('raw-1')
    expect(await fill({ ...task, claim: 0 }, placeIn('raw'))).toEqual({ kind: 'lost' })
    await one.query('UPDATE task SET cancelled = now() WHERE id = $1', [task.id])
    expect(await fill(task, placeIn('raw'))).toEqual({ kind: 'cancelled' })
    expect(await joins()).toEqual([])
  })

  test('to be told twice of the same does it once', async () => {
    const task = await begun('raw-1')
    const join = await joined(task, placeIn('raw'))
    expect(await fill(task, placeIn('raw'))).toEqual({
      ...{ kind: 'joined', join, did: 'again', complete: false },
    })
    expect(await recordResult(one, task, settle({ kind: 'done' }))).toBe(false)
    expect(await statesOf(task)).toEqual(['joined'])
  })

  test('the same event again shares its fate, and changes nothing', async () => {
    const [first, again, dark] = [await begun('raw-1'), await begun('raw-1'), await begun('dark-1')]
    const join = await joined(first, placeIn('raw'))
    expect(await fill(again, placeIn('raw'))).toMatchObject({ join, did: 'again' })
    expect((await readJoin(one, join))?.filled).toMatchObject([{ task: first.id }])
    await fill(dark, placeIn('dark'))
    expect(await statesOf(first, again)).toEqual(['done', 'done'])
  })

  test('another event for the slot is refused, and told which one has it', async () => {
    const [first, second] = [await begun('raw-1'), await begun('raw-2')]
    const join = await joined(first, placeIn('raw'))
    const filled = await fill(second, placeIn('raw'))
    const failure = { type: 'JoinSlotTakenError', value: expect.stringContaining(first.id) }
    expect(filled).toMatchObject({ kind: 'refused', failure })
    expect((await readJoin(one, join))?.filled).toMatchObject([{ task: first.id }])
    expect(await statesOf(first, second)).toEqual(['joined', 'running'])
  })

  test('or takes its place, where the join says so; the first then ends', async () => {
    const [first, again] = [await begun('raw-1'), await begun('raw-1')]
    const join = await joined(first, placeIn('raw'))
    await fill(again, placeIn('raw'))
    const second = await begun('raw-2')
    const replacing = placeIn('raw', { onDuplicate: 'replace' })
    expect(await fill(second, replacing)).toMatchObject({ join, did: 'replace', complete: false })
    expect(await statesOf(first, again, second)).toEqual(['unrouted', 'unrouted', 'joined'])
    expect(await rowOf(first.id)).toMatchObject({
      ...{ type: 'JoinReplacedError', joined: null, value: expect.stringContaining(second.id) },
    })
    expect((await readJoin(one, join))?.filled).toMatchObject([{ task: second.id }])
  })

  test('after its join has run a key begins anew, or is refused where the join says so', async () => {
    await fill(await begun('raw-1'), placeIn('raw'))
    await fill(await begun('dark-1'), placeIn('dark'))
    const late = await fill(await begun('raw-2'), placeIn('raw', { onLate: 'refuse' }))
    expect(late).toMatchObject({ kind: 'refused', failure: { type: 'JoinLateError' } })
    expect(await fill(await begun('raw-3'), placeIn('raw'))).toMatchObject({ did: 'open' })
    expect((await joins()).map(({ state }) => state)).toEqual(['open', 'complete'])
  })

  test('of many that come at once, two by two, none is lost and none meets twice', async () => {
    const tasks = []
    for (let number = 0; number < 20; number += 1) tasks.push(await begun(`E-${number}`))
    const filled = await Promise.all(
      tasks.map((task, index) => {
        const place = placeIn(index % 2 === 0 ? 'raw' : 'dark', { key: `K-${index >> 1}` })
        return fill(task, place, index % 3 === 0 ? two : one)
      }),
    )
    expect(filled.filter((each) => each.kind === 'joined' && each.complete)).toHaveLength(10)
    expect(await statesOf(...tasks)).toEqual(tasks.map(() => 'done'))
    const runs = await claimTasks(one, CLAIM)
    expect(new Set(runs.map(({ joinRun }) => joinRun)).size).toBe(10)
    expect(runs).toHaveLength(10)
  })

  test('at its deadline a join runs with what is there, once, whoever looks', async () => {
    const raw = await begun('raw-1')
    const join = await joined(raw, placeIn('raw'))
    expect(await due()).toBeUndefined()
    expect(await nextDeadline(one, ['pair'])).toBeGreaterThan(0)
    await pass()
    const looks = [one, two, one, two].map((database) => endDue(database, ['pair'], randomUUID))
    const ended = (await Promise.all(looks)).filter((each) => each !== undefined)
    expect(ended).toMatchObject([{ join: { id: join }, state: 'expired' }])
    const [run, ...others] = await claimTasks(one, CLAIM)
    expect(others).toEqual([])
    expect(JSON.parse(run?.event ?? '')).toMatchObject({ data: { missing: ['dark'] } })
    expect(await statesOf(raw)).toEqual(['done'])
    expect(await readJoin(one, join)).toMatchObject({ state: 'expired', task: run?.id })
    expect(await nextDeadline(one, ['pair'])).toBeUndefined()
  })

  test('or fails, and its events with it, with what was missing', async () => {
    const raw = await begun('raw-1')
    const join = await joined(raw, placeIn('raw', { atDeadline: 'fail' }))
    await pass()
    expect(await due()).toMatchObject({ state: 'failed' })
    expect(await claimTasks(one, CLAIM)).toEqual([])
    const value = expect.stringMatching(/join pair with the key "K" .*: dark had not come by/)
    expect(await rowOf(raw.id)).toMatchObject({ ...{ state: 'unrouted', value, joined: join } })
    expect(await readJoin(one, join)).toMatchObject({ state: 'failed', task: null })
    const retried = await retryTask(one, raw.id, randomUUID())
    expect(retried).toMatchObject({ isNew: true })
    const [again] = await claimTasks(one, CLAIM)
    expect(again).toMatchObject({ kind: 'retry', joinRun: null })
  })

  test('a deadline waits for events that came in before it and are not begun yet', async () => {
    await fill(await begun('raw-1'), placeIn('raw'))
    await acceptTask(one, {
      ...{ id: randomUUID(), delivery: undefined, digest: 'd', source: '/s', eventId: 'dark-1' },
      ...{ event: '{}', trace: undefined },
    })
    await one.query(`UPDATE task SET created = now() - interval '2 h' WHERE state = 'waiting'`)
    await pass()
    expect(await due()).toBeUndefined()
    const [dark] = await claimTasks(one, CLAIM)
    if (dark) expect(await fill(dark, placeIn('dark'))).toMatchObject({ complete: true })
    expect(await due()).toBeUndefined()
  })

  test('or are begun and not in their slot yet, also by somebody who was killed; not for what has a handler', async () => {
    await fill(await begun('raw-1'), placeIn('raw'))
    const [dark, other] = [await begun('dark-1'), await begun('other')]
    const process = { host: 'h', group: 1, started: 1, mark: 'm' }
    expect(await noteProcess(one, other, process)).toBe(true)
    await one.query(`UPDATE task SET created = now() - interval '2 h' WHERE state = 'running'`)
    await pass()
    expect(await due()).toBeUndefined()
    expect(await fill(dark, placeIn('dark', { slots: ['raw', 'dark', 'flat'] }))).toMatchObject({
      ...{ kind: 'joined', did: 'fill' },
    })
    expect(await due()).toMatchObject({ state: 'expired' })
  })

  test('a join that is not defined any more stays as it is, beyond its deadline', async () => {
    const join = await joined(await begun('raw-1'), placeIn('raw'))
    await pass()
    expect(await endDue(one, ['another'], randomUUID)).toBeUndefined()
    expect(await readJoin(one, join)).toMatchObject({ state: 'open' })
    expect(await readJoinBacklog(one)).toMatchObject({ open: 1 })
    expect((await readJoinBacklog(one)).overdue).toBeGreaterThan(3_000)
  })

  test('a slot that the definition has lost or gained meanwhile counts as it is now', async () => {
    const join = await joined(await begun('raw-1'), placeIn('raw'))
    const slots = ['raw', 'dark', 'flat']
    const filled = await fill(await begun('dark-1'), placeIn('dark', { slots }))
    expect(filled).toMatchObject({ complete: false })
    expect(await readJoin(one, join)).toMatchObject({ slots, state: 'open' })
  })

  test('a join that is cancelled ends the tasks of its events', async () => {
    const raw = await begun('raw-1')
    const join = await joined(raw, placeIn('raw'))
    expect(await cancelJoin(one, join)).toBe(true)
    expect(await cancelJoin(one, join)).toBe(false)
    expect(await rowOf(raw.id)).toMatchObject({ state: 'cancelled', type: 'JoinCancelledError' })
  })

  test('a task that waits can be cancelled: its event leaves the join, which ends with the last', async () => {
    const [first, again, dark] = [await begun('raw-1'), await begun('raw-1'), await begun('dark-1')]
    const slots = ['raw', 'dark', 'flat']
    const join = await joined(first, placeIn('raw', { slots }))
    await fill(again, placeIn('raw', { slots }))
    await fill(dark, placeIn('dark', { slots }))
    const cancel = (task: ClaimedTask) => withdraw(one, task.id, CANCELLED)
    const filled = async () => (await readJoin(one, join))?.filled.map(({ task }) => task).sort()
    expect(await cancel(first)).toBe('cancelled')
    expect(await filled()).toEqual([dark.id, again.id].sort())
    expect(await cancel(again)).toBe('cancelled')
    expect(await filled()).toEqual([dark.id])
    expect(await cancel(dark)).toBe('cancelled')
    expect(await cancel(dark)).toBeUndefined()
    expect(await readJoin(one, join)).toMatchObject({ state: 'cancelled', filled: [] })
    expect(await statesOf(first, again, dark)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  })

  test("a retry and a dry run of a join's task run on its events", async () => {
    await fill(await begun('raw-1'), placeIn('raw'))
    const join = await joined(await begun('dark-1'), placeIn('dark'))
    const [run] = await claimTasks(one, CLAIM)
    if (run === undefined) throw new Error('no run')
    const failure = { type: 'Error', value: 'no luck', traceback: '' }
    await recordResult(one, run, settle({ kind: 'threw', failure }))
    const retry = await retryTask(one, run.id, randomUUID())
    await addDryRun(one, run.id, randomUUID())
    const repeats = await claimTasks(one, CLAIM)
    const kinds = repeats.map(({ kind, joinRun }) => [kind, joinRun]).sort()
    expect(kinds).toEqual([
      ['dry-run', join],
      ['retry', join],
    ])
    expect(await readJoin(one, join)).toMatchObject({ task: retry?.taskId, taskState: 'running' })
  })

  test('events are kept for as long as their join may be run again; then all of it goes', async () => {
    const tasks = [await begun('raw-1'), await begun('dark-1')]
    for (const [index, task] of tasks.entries()) {
      await fill(task, placeIn(index === 0 ? 'raw' : 'dark'))
    }
    const [run] = await claimTasks(one, CLAIM)
    const open = await joined(await begun('raw-2'), placeIn('raw', { key: 'open' }))
    const { signal } = new AbortController()
    const options = { retentionMs: HOUR, dryRunFolder: '/nowhere', dryRunKeepMs: HOUR }
    const purge = purgeStep({ database: one, log, signal }, options)
    const left = async () => (await one.query('SELECT FROM task')).length
    await one.query(`UPDATE task SET settled = settled - interval '2 h'`)
    await one.query(`UPDATE task_join SET settled = settled - interval '2 h'`)
    await purge()
    expect(await left()).toBe(4)
    if (run) await recordResult(one, run, settle({ kind: 'done' }))
    await one.query(`UPDATE task SET settled = now() - interval '2 h' WHERE kind = 'join'`)
    await purge()
    expect(await left()).toBe(1)
    expect((await joins()).map(({ id }) => id)).toEqual([open])
  })
})
