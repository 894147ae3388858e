/** The one place that knows every part of the dispatcher: opens them in order, and closes them in reverse. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Dispatcher, UploadResult } from '@pacifica/core'
import {
  createHealth,
  createMetrics,
  type Database,
  type Health,
  type Lifetime,
  type Listening,
  type Log,
  type Metrics,
  migrate,
  openDatabase,
  type Transport,
} from '@pacifica/platform'
import type { DispatcherConfig } from './config.ts'
import { addChecks } from './health.ts'
import { serveApi } from './http.ts'
import { guardLoops } from './isolation/guard-loops.ts'
import { inlineIsolation } from './isolation/inline.ts'
import { checkDispatcher, loadDispatcher } from './load-dispatcher.ts'
import { type TaskMetrics, taskMetrics } from './metrics.ts'
import { createRunners } from './runners.ts'
import type { AcceptNeeds } from './tasks/accept.ts'
import { consume } from './tasks/consumer.ts'
import { insist } from './tasks/insist.ts'
import { taskReader } from './tasks/read.ts'
import { runTask } from './tasks/run-task.ts'
import { openScratch, type Scratch } from './tasks/scratch.ts'
import * as store from './tasks/store.ts'
import { TaskWorker } from './tasks/worker.ts'

export interface DispatcherNeeds {
  readonly log: Log
  /** Brings the deliveries; closed by whoever made it. */
  readonly transport: Transport
  /** Its own unless given: two services in one process must not share theirs. */
  readonly metrics?: Metrics
  readonly health?: Health
  /** An author's own, instead of the one that DISPATCHER_MODULE names. */
  readonly dispatcher?: Dispatcher
}

export interface RunningDispatcher extends Listening {
  /** Where `dispatch://<name>` leads. */
  readonly name: string
}

/** Beside src/ and dist/ alike. */
const MIGRATIONS = fileURLToPath(new URL('../../../prisma/dispatcher/migrations', import.meta.url))

/** How long a handler may take to end after its signal. Shorter than what closing a process allows. */
const ABORT_GRACE_MS = 2_000
/** How often the table is looked at when no bell rings. */
const IDLE_MS = 5_000

/**
 * Starts the service: opens and migrates its database, works off its tasks, consumes its queue, serves its API. All of
 * it is closed by `life`. Rejects, with an error that says what to do, when it cannot start.
 */
export async function startDispatcher(
  life: Lifetime,
  needs: DispatcherNeeds,
  config: DispatcherConfig,
): Promise<RunningDispatcher> {
  const { log, transport, metrics = createMetrics(), health = createHealth() } = needs
  const dispatcher = needs.dispatcher
    ? checkDispatcher(needs.dispatcher, 'createDispatcher')
    : await loadDispatcher(config.module, process.cwd())
  const name = config.name ?? dispatcher.name
  const runners = createRunners(config, { log })
  const database = await openTasks(life, log, config)
  const scratch = await openScratch({ log }, resolve(config.dataDir, 'dispatcher/scratch', name))
  await scratch.sweep(await store.runningTasks(database))

  const counts: TaskMetrics = taskMetrics({
    metrics,
    log,
    backlog: () => store.readBacklog(database),
    inHand: () => worker.inHand,
  })
  const handlers = inlineIsolation({ dispatcher, ...runners, log })
  const isolation = guardLoops(handlers, { dispatcher: name, router: dispatcher.router })
  const worker = createWorker({ log, database, scratch, isolation, counts }, name, config)
  const working = worker.run(life)
  life.onClose('tasks', () => working)

  const accept: AcceptNeeds = {
    store: (arrival) => store.acceptTask(database, arrival),
    bell: taskBell(database),
    log,
    newId: randomUUID,
    onAccepted: counts.onAccepted,
  }
  const consumer = await consume({ ...accept, transport }, name)
  life.onClose('consumer', () => consumer.stop())

  addChecks(health, { database, migrations: MIGRATIONS, worker, consumer, transport })
  const reader = taskReader(database.adapter)
  const listening = await serveApi({ life, log, metrics, health, accept, reader }, { name, config })
  return { ...listening, name }
}

async function openTasks(life: Lifetime, log: Log, config: DispatcherConfig): Promise<Database> {
  const { databaseUrl: url, dataDir, connectAttempts, connectWaitMs } = config
  const database = await openDatabase(
    { log },
    {
      ...(url === undefined ? {} : { url }),
      folder: resolve(dataDir, 'dispatcher/database'),
      connectAttempts,
      connectWaitMs,
      signal: life.stopping,
    },
  )
  life.onClose('database', () => database.close())
  await migrate(database, MIGRATIONS)
  if (database.engine === 'embedded') await store.releaseOrphans(database)
  return database
}

function taskBell(database: Database) {
  return database.bell('dispatcher_task')
}

function createWorker(
  parts: {
    log: Log
    database: Database
    scratch: Scratch
    isolation: Parameters<typeof runTask>[0]['isolation']
    counts: TaskMetrics
  },
  dispatcher: string,
  { leaseMs, maxStarts, concurrency, taskTimeoutMs }: DispatcherConfig,
): TaskWorker {
  const { log, database, scratch, isolation, counts } = parts
  const me = `${hostname()} ${process.pid} ${new Date().toISOString()}`
  const holds = async (held: store.Held, signal: AbortSignal) => {
    const renew = () => store.renewLeases(database, [held], leaseMs)
    const ours = await insist(renew, { what: `the lease of task ${held.id}`, signal, log })
    return ours.has(held.id)
  }
  const notesOf = (held: store.Held) => ({
    taken: (taken: { files: number; bytes: number }) => store.noteTaken(database, held, taken),
    bundle: (made: Pick<UploadResult, 'bundle' | 'jobId'>) =>
      store.noteBundle(database, held, made),
  })
  const running = { dispatcher, isolation, scratch, holds, notesOf }
  const limits = { timeoutMs: taskTimeoutMs, abortGraceMs: ABORT_GRACE_MS }
  return new TaskWorker(
    {
      store: {
        claim: (limit, except) =>
          store.claimTasks(database, { limit, except, leaseMs, maxStarts, worker: me }),
        abandon: (except, settlement) =>
          store.abandonTasks(database, { maxStarts, except }, settlement),
        renew: (held) => store.renewLeases(database, held, leaseMs),
        record: (held, settlement) => store.recordResult(database, held, settlement),
      },
      run: (task, signal) => runTask(running, limits, task, signal),
      bell: taskBell(database),
      log,
      onSettled: counts.onSettled,
    },
    { concurrency, maxStarts, heartbeatMs: Math.round(leaseMs / 4), idleMs: IDLE_MS },
  )
}
