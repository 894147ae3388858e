import { createBell, createLog } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { DEFAULT_RETRY } from './retry.ts'
import { LeaseLostError, TaskCancelledError } from './stop-reasons.ts'
import type { ClaimedTask, Held } from './store.ts'
import type { Outcome, Settlement } from './task.ts'
import { TaskWorker, type WorkerNeeds } from './worker.ts'

const log = createLog({ name: 'test', level: 'silent' })

/** A table of tasks in memory, as narrow as the worker asks for. */
function table(ids: string[]) {
  const waiting = ids.map((id) => ({
    ...{ id, claim: 1, attempts: 1, retries: 0, event: '{}', trace: null },
    ...{
      cancelled: false,
      process: null,
      kind: 'event' as const,
      repeats: null,
      size: 100,
      joinRun: null,
    },
  }))
  const recorded: (Held & Settlement)[] = []
  const lost = new Set<string>()
  const cancelled = new Set<string>()
  const store: WorkerNeeds['store'] = {
    claim: async (limit) => waiting.splice(0, limit),
    abandon: async () => [],
    renew: async (held) => new Set(held.map(({ id }) => id).filter((id) => !lost.has(id))),
    cancelled: async () => cancelled,
    async record({ id, claim }, settlement) {
      recorded.push({ id, claim, ...settlement })
      return true
    },
  }
  return { store, recorded, lost, cancelled }
}

/** Starts a worker with two hands, and gives what stops it. */
function start(
  store: WorkerNeeds['store'],
  run: (task: ClaimedTask, signal: AbortSignal) => Promise<Outcome>,
) {
  const [stopping, abandoning] = [new AbortController(), new AbortController()]
  const options = { concurrency: 2, retry: DEFAULT_RETRY, heartbeatMs: 10, idleMs: 20 }
  const worker = new TaskWorker({ store, run, bell: createBell(), log }, options)
  const ended = worker.run({ stopping: stopping.signal, abandoning: abandoning.signal })
  return {
    worker,
    async stop() {
      stopping.abort()
      await ended
    },
    async abandon() {
      stopping.abort()
      abandoning.abort(new Error('the process ends'))
      await ended
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

test('a task whose event went into a join was stored with that, and is not stored again', async () => {
  const { store, recorded } = table(['a', 'b'])
  const run: string[] = []
  const { worker, stop } = start(store, async ({ id }) => {
    run.push(id)
    return id === 'a' ? { kind: 'joined' } : { kind: 'done' }
  })
  await until(() => run.length === 2 && worker.inHand === 0)
  await stop()
  expect(recorded.map(({ id }) => id)).toEqual(['b'])
})

test('every task is run and its end stored, never more at once than there are hands', async () => {
  const { store, recorded } = table(['a', 'b', 'c', 'd', 'e'])
  let most = 0
  let running = 0
  const { stop } = start(store, async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running -= 1
    return { kind: 'done' }
  })
  await until(() => recorded.length === 5)
  await stop()
  expect(most).toBe(2)
  expect(recorded.map(({ id, state }) => [id, state]).sort()).toEqual(
    ['a', 'b', 'c', 'd', 'e'].map((id) => [id, 'done']),
  )
})

test('a stop waits for what is in hand, and claims nothing more', async () => {
  const { store, recorded } = table(['a', 'b', 'c'])
  const { stop, worker } = start(store, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    return { kind: 'done' }
  })
  await until(() => worker.inHand === 2)
  await stop()
  expect(recorded.map(({ id }) => id).sort()).toEqual(['a', 'b'])
})

test('when the process cannot wait, tasks are told to end and handed back', async () => {
  const { store, recorded } = table(['a'])
  const { abandon, worker } = start(store, async (_task, signal) => {
    await aborted(signal)
    return { kind: 'interrupted' }
  })
  await until(() => worker.inHand === 1)
  await abandon()
  expect(recorded).toMatchObject([{ id: 'a', state: 'waiting' }])
})

test('a task whose lease is lost is told so, and nothing is stored of it', async () => {
  const { store, recorded, lost } = table(['a'])
  let reason: unknown
  const { stop, worker } = start(store, async (_task, signal) => {
    await aborted(signal)
    reason = signal.reason
    return { kind: 'lost' }
  })
  await until(() => worker.inHand === 1)
  lost.add('a')
  await until(() => worker.inHand === 0)
  await stop()
  expect(reason).toBeInstanceOf(LeaseLostError)
  expect(recorded).toEqual([])
})

test('a result is kept and stored again when the database is away for a moment', async () => {
  const { store, recorded } = table(['a'])
  let failures = 1
  const flaky: WorkerNeeds['store'] = {
    ...store,
    async record(held, settlement) {
      if (failures-- > 0) throw new Error('connection terminated')
      return await store.record(held, settlement)
    },
  }
  const { stop } = start(flaky, async () => ({ kind: 'done' }))
  await until(() => recorded.length === 1)
  await stop()
  expect(recorded).toMatchObject([{ id: 'a', state: 'done' }])
})

test('a claim that fails is tried again', async () => {
  const { store, recorded } = table(['a'])
  let failures = 1
  const flaky: WorkerNeeds['store'] = {
    ...store,
    async claim(...asked) {
      if (failures-- > 0) throw new Error('connection terminated')
      return await store.claim(...asked)
    },
  }
  const { stop, worker } = start(flaky, async () => ({ kind: 'done' }))
  await until(() => recorded.length === 1)
  expect(worker.trouble()).toBeUndefined()
  await stop()
})

test('a task that somebody cancels is told so, and stored as cancelled', async () => {
  const { store, recorded, cancelled } = table(['a'])
  let reason: unknown
  const { stop, worker } = start(store, async (_task, signal) => {
    await aborted(signal)
    reason = signal.reason
    return { kind: 'cancelled' }
  })
  await until(() => worker.inHand === 1)
  cancelled.add('a')
  await until(() => recorded.length === 1)
  await stop()
  expect(reason).toBeInstanceOf(TaskCancelledError)
  expect(recorded).toMatchObject([{ id: 'a', state: 'cancelled' }])
})

test('a task that is to be tried again is looked for when it is due', async () => {
  const { store, recorded } = table(['a'])
  let claims = 0
  const counting: WorkerNeeds['store'] = {
    ...store,
    async claim(...asked) {
      claims += 1
      return await store.claim(...asked)
    },
  }
  const failure = { type: 'Error', value: 'away', traceback: '' }
  const run = async (): Promise<Outcome> => ({ kind: 'threw', failure, retry: { afterMs: 5 } })
  const { stop } = start(counting, run)
  await until(() => recorded.length === 1 && claims >= 3)
  await stop()
  expect(recorded).toMatchObject([
    { id: 'a', state: 'retrying', again: { afterMs: 5, costs: 'a retry' } },
  ])
})
