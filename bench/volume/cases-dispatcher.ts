/** What workers and people ask of a dispatcher's tables. */
import { randomUUID } from 'node:crypto'
import type { Sql } from '@pacifica/platform'
import {
  claimOutbox,
  postpone,
  readOutboxBacklog,
  releaseClaims,
  removePublished,
} from '../../apps/dispatcher/src/outbox/store.ts'
import { cancelledAmong, cancelTask } from '../../apps/dispatcher/src/tasks/cancel.ts'
import { forgetCart, leftCarts, noteCart } from '../../apps/dispatcher/src/tasks/cart-store.ts'
import { listTasks, readTask, type TaskFilter } from '../../apps/dispatcher/src/tasks/list.ts'
import { appendLog, readLog } from '../../apps/dispatcher/src/tasks/log-store.ts'
import { purgeTasks } from '../../apps/dispatcher/src/tasks/purge.ts'
import { taskReader } from '../../apps/dispatcher/src/tasks/read.ts'
import { addDryRun, readLastUploads, retryTask } from '../../apps/dispatcher/src/tasks/repeat.ts'
import {
  abandonTasks,
  acceptTask,
  type ClaimOptions,
  claimTasks,
  type Held,
  noteComparison,
  noteProcess,
  noteProgress,
  noteTaken,
  readBacklog,
  recordResult,
  releaseOrphans,
  renewLeases,
  runningTasks,
} from '../../apps/dispatcher/src/tasks/store.ts'
import { settle } from '../../apps/dispatcher/src/tasks/task.ts'
import { markUpload, readUploads } from '../../apps/dispatcher/src/tasks/upload-store.ts'
import { afterOne, type Case } from './case.ts'

export interface KnownTasks {
  readonly done: string
  readonly failed: string
  readonly dryRun: string
  readonly running: Held
  /** A `seq` in the middle. */
  readonly middle: string
}

const ids = `
  SELECT (SELECT id FROM task WHERE state = 'done' AND kind = 'event' ORDER BY seq LIMIT 1) AS done,
    (SELECT id FROM task WHERE state = 'failed' ORDER BY seq LIMIT 1) AS failed,
    (SELECT id FROM task WHERE kind = 'dry-run' ORDER BY seq LIMIT 1) AS "dryRun",
    (SELECT max(seq) / 2 FROM task)::bigint::text AS middle`

export async function lookAtTasks(sql: Sql): Promise<KnownTasks> {
  const [row] = await sql.query<Omit<KnownTasks, 'running'>>(ids)
  const [running] = await sql.query<Held>(
    `SELECT id, claim FROM task WHERE state = 'running' LIMIT 1`,
  )
  if (row === undefined || running === undefined) throw new Error('there are no tasks')
  return { ...row, running }
}

export function dispatcherCases(known: KnownTasks): Case[] {
  return [...lists(known), ...single(known), ...claims, ...runs(known), ...others(known)]
}

const limit = 101
const day = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * day).toISOString()

function lists({ middle }: KnownTasks): Case[] {
  const list = (what: string, filter: TaskFilter, cursor?: string): Case => ({
    name: `GET /tasks: ${what}`,
    run: ({ database }) => listTasks(database, filter, { limit, cursor }),
  })
  return [
    list('the first page', {}),
    list('a page in the middle', {}, middle),
    list('failed', { states: ['failed'] }),
    list('failed or timed out', { states: ['failed', 'timed-out'] }),
    list('cancelled, in the middle', { states: ['cancelled'] }, middle),
    list('done', { states: ['done'] }),
    list('dry runs', { kind: 'dry-run' }),
    list('retries that have failed', { kind: 'retry', states: ['failed'] }),
    list('a usual source', { source: 'http://metadata.pacifica.org/instrument/5' }),
    list('a rare source', { source: 'http://metadata.pacifica.org/instrument/rare' }),
    list('a source that is not there', { source: 'nothing' }),
    list('an event', { eventId: 'metadata.ingest.77' }),
    list('since a week ago', { since: ago(7) }),
    list('a week long ago', { since: ago(80), until: ago(73) }),
    list('failed, a week long ago', { since: ago(80), until: ago(73), states: ['failed'] }),
    list('a text that many have', { text: 'spectrum' }),
    list('a text that few have', { text: 'sample 133 has' }),
    list('a text that is not there', { text: 'no such text' }),
    list('a text that is not there, within a week', {
      text: 'no such text',
      since: ago(80),
      until: ago(73),
    }),
    {
      name: 'GET /: the first 1 000',
      run: ({ adapter }) => taskReader(adapter).page(1_000, undefined),
    },
    { name: 'GET /: a page', run: ({ adapter }) => taskReader(adapter).page(1_000, middle) },
  ]
}

function single({ done, failed, dryRun }: KnownTasks): Case[] {
  return [
    { name: 'GET /get/ID', run: ({ adapter }) => taskReader(adapter).find(done) },
    { name: 'GET /tasks/ID', run: ({ database }) => readTask(database, done) },
    { name: 'GET /tasks/ID/log', run: ({ database }) => readLog(database, done) },
    {
      name: 'POST /tasks/ID/retry',
      run: ({ database }) => retryTask(database, failed, randomUUID()),
    },
    {
      name: 'POST /tasks/ID/dry-run',
      run: ({ database }) => addDryRun(database, done, randomUUID()),
    },
    {
      name: 'what a dry run is held against',
      run: ({ database }) => readLastUploads(database, { id: dryRun, repeats: done }),
    },
    { name: 'DELETE /tasks/ID', run: ({ database }) => cancelTask(database, failed) },
  ]
}

const OPTIONS: ClaimOptions = {
  limit: 4,
  leaseMs: 60_000,
  maxStarts: 5,
  worker: 'bench',
  except: [],
}
const THREW = { kind: 'threw', failure: { type: 'Error', value: 'no', traceback: '' } } as const

const claims: Case[] = [
  {
    name: 'an event becomes a task, and comes again',
    async run({ database }) {
      const arrival = {
        ...{
          id: randomUUID(),
          delivery: { id: randomUUID(), replay: 0 },
          digest: 'new',
          source: '/bench',
        },
        ...{ eventId: 'new', event: '{}', trace: undefined },
      }
      await acceptTask(database, arrival)
      await acceptTask(database, {
        ...arrival,
        id: randomUUID(),
        delivery: { id: randomUUID(), replay: 0 },
      })
    },
  },
  {
    name: 'claim 4 tasks, heartbeat, result',
    async run({ database }) {
      const claimed = await claimTasks(database, OPTIONS)
      await renewLeases(database, claimed, 60_000)
      const [first, second] = claimed
      if (first) await recordResult(database, first, settle({ kind: 'done' }))
      if (second) await recordResult(database, second, settle(THREW))
    },
  },
  {
    name: 'claim 4 tasks with room for little',
    run: ({ database }) =>
      claimTasks(database, { ...OPTIONS, room: { bytes: 6_000, most: 100_000 } }),
  },
  {
    name: 'tasks that nobody holds any more',
    run: ({ database }) => abandonTasks(database, { maxStarts: 5, except: [] }, settle(THREW)),
  },
  { name: 'what is running', run: ({ database }) => runningTasks(database) },
  {
    name: 'at the start of an embedded dispatcher',
    run: ({ database }) => releaseOrphans(database),
  },
  { name: 'GET /metrics: tasks', run: ({ database }) => readBacklog(database) },
  { name: 'GET /metrics: the outbox', run: ({ database }) => readOutboxBacklog(database) },
]

function runs({ running }: KnownTasks): Case[] {
  return [
    {
      name: 'a run notes how it is',
      async run({ database }) {
        await noteTaken(database, running, { files: 1, bytes: 1 })
        await noteProcess(database, running, { host: 'h', group: 1, started: 1, mark: 'm' })
        await noteProgress(database, running, { said: 'half' })
        await noteComparison(database, running, {})
        await appendLog(database, running, [{ stream: 'out', text: 'line\n' }])
        await cancelledAmong(database, [running.id])
      },
    },
    {
      name: 'a run uploads',
      async run({ database }) {
        await readUploads(database, running.id)
        const upload = {
          number: 1,
          last: true,
          unsure: false,
          jobId: 4711,
          bundle: 'results.tar',
          transaction: '1',
        }
        await markUpload(database, running, { ...upload, state: 'done' })
      },
    },
    {
      name: 'a run orders a cart',
      async run({ database }) {
        const cart = randomUUID()
        await noteCart(database, running, cart)
        await forgetCart(database, cart)
      },
    },
  ]
}

function others({ done }: KnownTasks): Case[] {
  return [
    {
      name: 'carts that are left',
      run: ({ database }) => leftCarts(database, { limit: 20, hopelessMs: 7 * day }),
    },
    {
      name: 'the outbox: claim 100, publish some, postpone some',
      async run({ database }) {
        const rows = await claimOutbox(database, { limit: 100, leaseMs: 60_000 })
        const seqs = rows.map(({ seq }) => seq)
        await removePublished(database, seqs.slice(0, 50))
        await postpone(
          database,
          seqs.slice(50).map((seq) => ({ seq, waitMs: 1_000 })),
        )
      },
    },
    {
      name: 'the outbox at the start of an embedded dispatcher',
      run: ({ database }) => releaseClaims(database),
    },
    {
      name: 'DISPATCHER_TASK_RETENTION: a batch of 500 tasks',
      run: ({ database }) => purgeTasks(database, { olderMs: 7 * day, signal: afterOne() }),
    },
    {
      name: 'DISPATCHER_TASK_RETENTION: there is nothing to do',
      run: ({ database }) =>
        purgeTasks(database, { olderMs: 1e12, signal: new AbortController().signal }),
    },
    { name: 'a task that many ask for', run: ({ database }) => readTask(database, done) },
  ]
}
