/** The one place that knows every part of the dispatcher: opens them in order, and closes them in reverse. */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Dispatcher, MetadataClient } from '@pacifica/core'
import {
  type Bell,
  createHealth,
  createMetrics,
  type Database,
  type Health,
  type Lifetime,
  type Listening,
  type Log,
  type Metrics,
  type MigrationState,
  openDatabase,
  type Transport,
} from '@pacifica/platform'
import type { DispatcherConfig } from './config.ts'
import { guardOf } from './guard.ts'
import { addChecks } from './health.ts'
import { serveApi } from './http.ts'
import type { Environment } from './isolation/child-environment.ts'
import { childProcessIsolation } from './isolation/child-process.ts'
import { guardLoops } from './isolation/guard-loops.ts'
import { inlineIsolation } from './isolation/inline.ts'
import type { Isolation } from './isolation/isolation.ts'
import { openJoins } from './joins/open.ts'
import { checkDispatcher, loadDispatcher } from './load-dispatcher.ts'
import { type TaskMetrics, taskMetrics } from './metrics.ts'
import { openOutbox } from './outbox/open.ts'
import { createRunners } from './runners.ts'
import { databaseFolder, prepareTables } from './tables.ts'
import type { AcceptNeeds } from './tasks/accept.ts'
import { metadataAsker } from './tasks/ask-metadata.ts'
import { consume } from './tasks/consumer.ts'
import { createWorker } from './tasks/create-worker.ts'
import { openLeftCarts } from './tasks/left-carts.ts'
import { startPurge, startSweeping } from './tasks/purge.ts'
import { openScratch } from './tasks/scratch.ts'
import { shownTasks } from './tasks/shown-tasks.ts'
import * as store from './tasks/store.ts'

export interface DispatcherNeeds {
  readonly log: Log
  /** Brings the deliveries; closed by whoever made it. */
  readonly transport: Transport
  /** Its own unless given: two services in one process must not share theirs. */
  readonly metrics?: Metrics
  readonly health?: Health
  /** An author's own, instead of the one that DISPATCHER_MODULE names. */
  readonly dispatcher?: Dispatcher
  /**
   * The program that brings `dispatcher`: it is run again, as a child process, for each task, and must come to
   * `createDispatcher` then, too. Without it the handlers of `dispatcher` run in this process, which is for tests.
   */
  readonly program?: string
  /** Of which handlers see a few harmless variables and what DISPATCHER_HANDLER_ENV lists. */
  readonly env?: Environment
}

export interface RunningDispatcher extends Listening {
  /** Where `dispatch://<name>` leads. */
  readonly name: string
}

/** Node cannot run the sources: when these run, as in tests, a task's child process runs what was built of them. */
const IS_BUILT = import.meta.url.endsWith('.js')
/** What a task's child process runs for a module. */
const CHILD = fileURLToPath(
  new URL(`${IS_BUILT ? '.' : '../dist'}/isolation/child/main.js`, import.meta.url),
)

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
  const { database, migrations } = await openTasks(life, log, config)
  const scratch = await openScratch({ log }, resolve(config.dataDir, 'dispatcher/scratch', name))
  const dryRunFolder = resolve(config.dataDir, 'dispatcher/dry-runs', name)
  await scratch.sweep(() => store.runningTasks(database))

  const counts: TaskMetrics = taskMetrics({
    metrics,
    log,
    backlog: () => store.readBacklog(database),
    inHand: () => worker.inHand,
    bytesInHand: () => worker.bytesInHand,
  })
  const handlers = isolationFor(needs, dispatcher, config)
  const { router, joins: definedJoins } = dispatcher
  const isolation = guardLoops(handlers, { dispatcher: name, router, joins: definedJoins })
  const metadata = config.metadataUrl && metadataAsker(new MetadataClient(config.metadataUrl))
  const parts = { life, log, metrics, health, database, channel: transport.taskEvents }
  const outbox = await openOutbox(parts, { dispatcher: name })
  const bell = ringingToo(taskBell(database), outbox)
  const joins = openJoins(
    { life, log, metrics, database, tasks: bell },
    { joins: definedJoins, dispatcher: name },
  )
  const carts = openLeftCarts({ life, log, database, runners })
  const bells = { bell, cancelBell: database.bell('dispatcher_cancel') }
  const worker = createWorker(
    {
      ...{ log, database, scratch, isolation, runners, metadata, dispatcher: name },
      place: joins.place,
      ...{ ...bells, outbox, carts, onSettled: counts.onSettled, dryRunFolder },
    },
    config,
  )
  const working = worker.run(life)
  life.onClose('tasks', () => working)

  const { taskRetentionMs: retentionMs, dryRunKeepMs } = config
  startPurge({ life, log, database }, { retentionMs, dryRunFolder, dryRunKeepMs })
  startSweeping({ life, log, database, scratch }, { everyMs: 2 * config.leaseMs })

  const accept: AcceptNeeds = {
    store: (arrival) => store.acceptTask(database, arrival),
    bell: ringingToo(taskBell(database), outbox),
    log,
    newId: randomUUID,
    onAccepted: counts.onAccepted,
  }
  const consumer = await consume({ ...accept, transport }, name)
  life.onClose('consumer', () => consumer.stop())

  addChecks(health, { database, migrations, worker, consumer, transport })
  const tasks = shownTasks(database, { ...bells, newId: randomUUID })
  const guard = guardOf(config)
  const listening = await serveApi(
    { life, log, metrics, health, accept, tasks, joins: joins.shown, guard },
    { name, config },
  )
  return { ...listening, name }
}

async function openTasks(
  life: Lifetime,
  log: Log,
  config: DispatcherConfig,
): Promise<{ database: Database; migrations: () => Promise<MigrationState> }> {
  const { databaseUrl: url, connectAttempts, connectWaitMs } = config
  const database = await openDatabase(
    { log },
    {
      ...(url === undefined ? {} : { url }),
      folder: databaseFolder(config),
      connectAttempts,
      connectWaitMs,
      signal: life.stopping,
    },
  )
  life.onClose('database', () => database.close())
  const migrations = await prepareTables({ database, log }, config)
  if (database.engine === 'embedded') await store.releaseOrphans(database)
  return { database, migrations }
}

function taskBell(database: Database) {
  return database.bell('dispatcher_task')
}

/** A bell that takes another along: a task that can be claimed, or was settled, has something to publish. */
function ringingToo(bell: Bell, other: Pick<Bell, 'ring'>): Bell {
  const ring = () => {
    bell.ring()
    other.ring()
  }
  return { ring, wait: (ms, signal) => bell.wait(ms, signal) }
}

function isolationFor(
  { log, dispatcher: own, program, env = {} }: DispatcherNeeds,
  dispatcher: Dispatcher,
  { module, handlerEnv: envNames = [] }: DispatcherConfig,
): Isolation {
  if (own !== undefined && program === undefined) return inlineIsolation({ dispatcher })
  const runs = program === undefined ? { program: CHILD, module } : { program, module: undefined }
  const flags = IS_BUILT ? {} : { nodeFlags: [] }
  const workingFolder = process.cwd()
  return childProcessIsolation({ log }, { ...runs, ...flags, env, envNames, workingFolder })
}
