/** The worker over its table: what a run stores goes through here, and waits for a database that is away. */
import { hostname } from 'node:os'
import { type Bell, type Database, insist, type Log } from '@pacifica/platform'
import type { DispatcherConfig } from '../config.ts'
import { readJoined } from '../joins/read.ts'
import { cancelledAmong } from './cancel.ts'
import { forgetCart, noteCart } from './cart-store.ts'
import * as logs from './log-store.ts'
import { readLastUploads } from './repeat.ts'
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
import { type RunRows, type RunTaskNeeds, type RunTaskOptions, runTask } from './run-task.ts'
import * as store from './store.ts'
import type { Settlement } from './task.ts'
import { markUpload, readUploads } from './upload-store.ts'
import { TaskWorker } from './worker.ts'

/** How long a handler may take to end when this process does. Shorter than what closing a process allows. */
const HURRIED_GRACE_MS = 1_500
/** How long ending it by force may take; after that it is left behind. */
const FORCE_MS = 1_000
/** How often the table is looked at when no bell rings. */
const IDLE_MS = 5_000
/** How often is looked how much a task's folder holds. */
const QUOTA_MS = 1_000

export interface WorkerParts extends Omit<RunTaskNeeds, 'rowsOf'> {
  readonly database: Database
  readonly bell: Bell
  readonly cancelBell: Bell
  /** Rung when a task was claimed: that is told as well. */
  readonly outbox: Pick<Bell, 'ring'>
  /** Rung when a task is begun that was begun before: its last run may have left a cart. */
  readonly carts: Pick<Bell, 'ring'>
  readonly onSettled: (settlement: Settlement) => void
  readonly dryRunFolder: string
}

export function createWorker(parts: WorkerParts, config: DispatcherConfig): TaskWorker {
  const { database, bell, cancelBell, outbox, carts, onSettled, log } = parts
  const { leaseMs, concurrency, bytesInHand: most } = config
  const retry = retryPolicy(config)
  const { maxStarts } = retry
  const worker = `${hostname()} ${process.pid} ${new Date().toISOString()}`
  const rowsOf: RunTaskNeeds['rowsOf'] = (task, signal) => runRows(database, log, task, signal)
  const running = { ...parts, rowsOf }
  const options = runOptions(config, parts.dryRunFolder)
  return new TaskWorker(
    {
      store: {
        async claim(limit, except, bytes) {
          const room = most === undefined ? undefined : { most, bytes: Math.max(0, most - bytes) }
          const limits = { limit, except, leaseMs, maxStarts, worker, room }
          const claimed = await store.claimTasks(database, limits)
          if (claimed.length > 0) outbox.ring()
          if (claimed.some(({ claim }) => claim > 1)) carts.ring()
          return claimed
        },
        abandon: (except, settlement) =>
          store.abandonTasks(database, { maxStarts, except }, settlement),
        renew: (held) => store.renewLeases(database, held, leaseMs),
        cancelled: (ids) => cancelledAmong(database, ids),
        record: (held, settlement) => store.recordResult(database, held, settlement),
      },
      run: (task, signal) => runTask(running, options, task, signal),
      ...{ bell, cancelBell, log, onSettled },
    },
    { concurrency, retry, heartbeatMs: Math.round(leaseMs / 4), idleMs: IDLE_MS },
  )
}

function retryPolicy({ maxStarts, retries, retryWaitMs }: DispatcherConfig): RetryPolicy {
  return { ...DEFAULT_RETRY, retries, firstMs: retryWaitMs, maxStarts }
}

function runOptions(config: DispatcherConfig, dryRunFolder: string): RunTaskOptions {
  const { taskTimeoutMs: timeoutMs, taskGraceMs: graceMs } = config
  return {
    limits: { timeoutMs, graceMs, hurriedGraceMs: HURRIED_GRACE_MS, forceMs: FORCE_MS },
    maxDownload: config.maxDownload ?? Number.POSITIVE_INFINITY,
    maxLog: config.maxLog,
    unsureMs: config.unsureWaitMs,
    maxInput: config.bytesInHand ?? Number.POSITIVE_INFINITY,
    quota: { maxBytes: config.scratchQuota ?? Number.POSITIVE_INFINITY, everyMs: QUOTA_MS },
    dryRunFolder,
  }
}

/** What decides over a result waits for the database; what is for people does not. */
function runRows(
  database: Database,
  log: Log,
  task: store.ClaimedTask,
  signal: AbortSignal,
): RunRows {
  const insisting = <T>(what: string, work: () => Promise<T>) =>
    insist(work, { what: `${what} of task ${task.id}`, signal, log })
  return {
    uploads: () => insisting('the uploads', () => readUploads(database, task.id)),
    markUpload: (upload) => insisting('an upload', () => markUpload(database, task, upload)),
    process: (record) => insisting('the process', () => store.noteProcess(database, task, record)),
    noteCart: (cart) => insisting('a cart', () => noteCart(database, task, cart)),
    forgetCart: (cart) => forgetCart(database, cart),
    taken: (taken) => insisting('the files', () => store.noteTaken(database, task, taken)),
    progress: (progress) => store.noteProgress(database, task, progress),
    lastUploads: () => insisting('the last bundles', () => readLastUploads(database, task)),
    compared: (found) =>
      insisting('the comparison', () => store.noteComparison(database, task, found)),
    joined: () => insisting('the events', () => readJoined(database, task.joinRun)),
    appendLog: (pieces) => logs.appendLog(database, task, pieces),
  }
}
