/** Runs the demo: both services in a data folder of their own, one event all the way, a line for each step. */
import { createWriteStream } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLifetime, createLog, type Lifetime, type Log } from '@pacifica/platform'
import { type Environment, localFolders, readStandaloneConfig } from '../config.ts'
import { startStandalone } from '../start.ts'
import { type Journey, type Sample, steps } from './steps.ts'

export interface DemoOptions {
  /** Settings of the services, over the demo's own: POLICY_URL, DISPATCHER_MODULE, … */
  readonly env: Environment
  readonly sample: Sample
  /** Where the demo's data folder is made; default: where the system keeps temporary files. */
  readonly tmpdir?: string
  /** How long each step may take, in milliseconds. */
  readonly withinMs: number
  readonly print: (line: string) => void
}

/** Resolves to the name of the step that failed; undefined when all went well. */
export async function runDemo(options: DemoOptions): Promise<string | undefined> {
  const folder = await mkdtemp(join(options.tmpdir ?? tmpdir(), 'pacifica-demo-'))
  const logPath = join(folder, 'log')
  const log = createLog({
    name: 'pacifica',
    level: 'info',
    destination: createWriteStream(logPath),
  })
  const life = createLifetime({ log }, { graceMs: 10_000 })
  options.print(`A data folder of its own: ${folder}`)
  let failed: string | undefined
  try {
    failed = await goThrough(folder, life, log, options)
  } finally {
    await life.stop('the demo is over')
  }
  if (failed !== undefined) {
    options.print(`The log of both services: ${logPath}`)
    return failed
  }
  for (const part of ['notifications', 'dispatcher', 'files', 'log'])
    await rm(join(folder, part), { recursive: true, force: true })
  options.print(`\nOne event all the way. The bundle is in ${localFolders(folder).bundles}`)
  return undefined
}

async function goThrough(
  folder: string,
  life: Lifetime,
  log: Log,
  options: DemoOptions,
): Promise<string | undefined> {
  let step = 'started'
  try {
    const env = { NOTIFICATIONS_PORT: '0', DISPATCHER_PORT: '0', ...options.env, DATA_DIR: folder }
    await cp(join(options.sample.folder, 'data'), join(localFolders(folder).files, 'data'), {
      recursive: true,
    })
    const running = await startStandalone(life, { log }, readStandaloneConfig(env))
    const journey = { ...options, running, subscription: '', event: '', task: NO_TASK }
    for (const { name, run } of steps) {
      step = name
      options.print(`${name.padEnd(12)} ${await run(journey)}`)
    }
    return undefined
  } catch (error) {
    options.print(`${step.padEnd(12)} FAILED: ${error instanceof Error ? error.message : error}`)
    return step
  }
}

/** Until the step 'files taken' has found the real one. */
const NO_TASK: Journey['task'] = {
  taskID: '',
  taskStatus: '',
  eventData: '',
  exceptionType: null,
  exceptionValue: null,
  filesTaken: 0,
  bytesTaken: 0,
  bundles: [],
}
