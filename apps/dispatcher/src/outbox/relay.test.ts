import { randomUUID } from 'node:crypto'
import { readTaskEvent } from '@pacifica/core'
import type { Database, PublishOutcome, TaskEventMessage } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from '../../../../test/harness/index.ts'
import { acceptTask, claimTasks, recordResult } from '../tasks/store.ts'
import { settle } from '../tasks/task.ts'
import { type RelayNeeds, relayStep } from './relay.ts'
import { claimOutbox, type OutboxRow, postpone, removePublished } from './store.ts'

const OPTIONS = { dispatcher: 'shouting', batch: 10, timeoutMs: 30_000 }
const accepted: PublishOutcome = { kind: 'accepted' }
const refused: PublishOutcome = { kind: 'refused', reason: 'no' }
const unroutable: PublishOutcome = { kind: 'unroutable', reason: 'nobody' }

/** A broker's side that answers as it is told, and remembers. */
function channelThat(answer: (message: TaskEventMessage) => Promise<PublishOutcome>) {
  const seen: TaskEventMessage[] = []
  return {
    seen,
    channel: {
      trouble: (): string | undefined => undefined,
      publish: async (message: TaskEventMessage) => {
        seen.push(message)
        return await answer(message)
      },
    },
  }
}

function relay(parts: Pick<RelayNeeds, 'store' | 'channel'>) {
  const rest = { log: silentLog, onPublished: () => {}, random: () => 0.5 }
  const abandoning = new AbortController().signal
  return relayStep({ ...rest, abandoning, ...parts }, OPTIONS)
}

describe('what becomes of a row', () => {
  const row = (parts: Partial<OutboxRow> = {}): OutboxRow => ({
    seq: 5,
    deliveries: [{ deliveryId: randomUUID(), replay: 0 }],
    created: new Date('2026-11-22T08:00:02Z'),
    tries: 0,
    snapshot: {
      id: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b',
      state: 'failed',
      digest: 'd1',
      source: '/s',
      event_id: 'E-1',
      trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      attempts: 1,
      files_taken: 2,
      bytes_taken: 70,
      bundles: [{ bundle: '/srv/private/results/b.tar', jobId: null }],
      exception_type: 'TypeError',
      exception_value: 'no luck',
      created: '2026-11-22T09:00:00.123456+01:00',
      started: '2026-11-22T08:00:01+00:00',
      settled: null,
    },
    ...parts,
  })
  const storeOf = (rows: OutboxRow[]) => {
    const done = { removed: [] as number[], postponed: [] as { seq: number; waitMs: number }[] }
    const store: RelayNeeds['store'] = {
      claim: async () => rows.splice(0),
      remove: async (seqs) => void done.removed.push(...seqs),
      postpone: async (each) => void done.postponed.push(...each),
    }
    return { store, done }
  }

  test('it is published as a task event, and goes when the broker has it', async () => {
    const { store, done } = storeOf([row()])
    const { channel, seen } = channelThat(async () => accepted)
    expect(await relay({ store, channel })()).toBe(true)
    expect(done).toEqual({ removed: [5], postponed: [] })
    const [message] = seen
    expect(message).toMatchObject({ id: `${row().snapshot.id}.5`, state: 'failed' })
    expect(JSON.parse(message?.body ?? '')).toMatchObject({
      traceparent: row().snapshot.trace,
      time: '2026-11-22T08:00:02.000Z',
    })
    expect(readTaskEvent(message?.body ?? '')).toMatchObject({
      dispatcher: 'shouting',
      status: '500 Internal Server Error',
      exception: { type: 'TypeError', value: 'no luck' },
      bundles: [{ bundle: 'b.tar', jobId: null }],
      created: '2026-11-22T08:00:00.123Z',
    })
    expect(message?.body).not.toContain('private')
  })

  test('one that the broker does not take is tried again, ever later, and kept', async () => {
    const rows = [row(), row({ seq: 6, tries: 3 }), row({ seq: 7, tries: 50 })]
    const { store, done } = storeOf(rows)
    const { channel } = channelThat(async () => refused)
    expect(await relay({ store, channel })()).toBe(false)
    expect(done.removed).toEqual([])
    expect(done.postponed.map(({ seq }) => seq)).toEqual([5, 6, 7])
    const waits = done.postponed.map(({ waitMs }) => waitMs)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000)
  })

  test('one in a state that only a later version knows waits for that version, and holds up no other', async () => {
    const strange = row({ seq: 6, snapshot: { ...row().snapshot, state: 'dreaming' } })
    const { store, done } = storeOf([strange, row()])
    const { channel, seen } = channelThat(async () => accepted)
    expect(await relay({ store, channel })()).toBe(true)
    expect(done.removed).toEqual([5])
    expect(done.postponed.map(({ seq }) => seq)).toEqual([6])
    expect(seen).toHaveLength(1)
  })

  test('of a bundle what is not known is told as such', async () => {
    const bundles = [{ bundle: '/srv/a.tar' }, { jobId: 7 }, {}]
    const { store } = storeOf([row({ snapshot: { ...row().snapshot, bundles } })])
    const { channel, seen } = channelThat(async () => accepted)
    await relay({ store, channel })()
    expect(readTaskEvent(seen[0]?.body ?? '').bundles).toEqual([
      { bundle: 'a.tar', jobId: null },
      { bundle: null, jobId: 7 },
      { bundle: null, jobId: null },
    ])
  })

  test('while nobody listens it is kept for those whom it names, and let go if it names none', async () => {
    const { store, done } = storeOf([row(), row({ seq: 6, deliveries: [] })])
    const { channel } = channelThat(async () => unroutable)
    await relay({ store, channel })()
    expect(done.removed).toEqual([6])
    expect(done.postponed.map(({ seq }) => seq)).toEqual([5])
  })

  test('while the broker is away nothing is claimed', async () => {
    const rows = [row()]
    const { store } = storeOf(rows)
    const { channel, seen } = channelThat(async () => accepted)
    const away = { ...channel, trouble: () => 'no connection' }
    expect(await relay({ store, channel: away })()).toBe(false)
    expect(rows).toHaveLength(1)
    expect(seen).toEqual([])
  })
})

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

  const storeOn = (database: Database): RelayNeeds['store'] => ({
    claim: (limit) => claimOutbox(database, { limit, leaseMs: 60_000 }),
    remove: (seqs) => removePublished(database, seqs),
    postpone: (rows) => postpone(database, rows),
  })
  const accept = (number: number, delivery = randomUUID()) =>
    acceptTask(one, {
      id: randomUUID(),
      delivery: { id: delivery, replay: 0 },
      ...{ digest: `d${number}`, source: '/s', eventId: `E-${number}`, event: '{}' },
      trace: undefined,
    })
  const claimTask = async () => {
    const options = { limit: 1, leaseMs: 600_000, maxStarts: 3, worker: 'me', except: [] }
    const [task] = await claimTasks(two, options)
    if (task === undefined) throw new Error('there was no task to claim')
    return task
  }
  const left = () => one.query('SELECT seq FROM task_outbox')
  const drain = async (step: () => Promise<boolean>) => {
    while ((await left()).length > 0) {
      if (!(await step())) await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  test('a relay that dies between the confirm and the mark repeats itself, under the same id', async () => {
    await accept(1)
    const { channel, seen } = channelThat(async () => accepted)
    const dying = { ...storeOn(one), remove: () => Promise.reject(new Error('killed')) }
    await expect(relay({ store: dying, channel })()).rejects.toThrow('killed')
    expect(await left()).toHaveLength(1)
    await one.query(`UPDATE task_outbox SET due = now() - interval '1 s'`)
    await drain(relay({ store: storeOn(two), channel }))
    const [first, second] = seen.map(({ id }) => id)
    expect(seen).toHaveLength(2)
    expect(second).toBe(first)
  })

  test('two replicas publish all that happens to many tasks, each change once, those of one task in order', async () => {
    const { channel, seen } = channelThat(async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
      return accepted
    })
    let working = true
    const relays = [one, two].map(async (database) => {
      const step = relay({ store: storeOn(database), channel })
      while (working) if (!(await step())) await new Promise((resolve) => setTimeout(resolve, 2))
      await drain(step)
    })
    for (let number = 0; number < 15; number += 1) {
      await accept(number)
      await recordResult(one, await claimTask(), settle({ kind: 'done' }))
      await accept(number)
    }
    working = false
    await Promise.all(relays)
    const events = seen.map(({ body }) => readTaskEvent(body))
    expect(events).toHaveLength(15 * 4)
    for (const taskId of new Set(events.map((event) => event.taskId))) {
      const own = events.filter((event) => event.taskId === taskId)
      const sequences = own.map(({ sequence }) => sequence)
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
      expect(own.map(({ state }) => state)).toEqual(['waiting', 'running', 'done', 'done'])
    }
  })

  test('whoever joins while the task ends is told of its end', async () => {
    const deliveries = Array.from({ length: 20 }, () => randomUUID())
    await accept(1, deliveries[0])
    const task = await claimTask()
    const [head, tail] = [deliveries.slice(1, 10), deliveries.slice(10)]
    await Promise.all([
      ...head.map((delivery) => accept(1, delivery)),
      recordResult(two, task, settle({ kind: 'done' })),
      ...tail.map((delivery) => accept(1, delivery)),
    ])
    const rows = await one.query<{ state: string; deliveries: { deliveryId: string }[] }>(
      'SELECT state, deliveries FROM task_outbox ORDER BY seq',
    )
    for (const delivery of deliveries) {
      const told = rows.filter((row) => row.deliveries.some((d) => d.deliveryId === delivery))
      expect(told.at(-1)?.state).toBe('done')
    }
  })
})
