/**
 * The dispatcher as a process: `node dist/main.js` for the dispatcher that DISPATCHER_MODULE names, or an author's own
 * program that calls `createDispatcher`. Reads the environment and the command line, which nothing else here does.
 */
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Dispatcher } from '@pacifica/core'
import {
  brokerUrlKind,
  createInProcessTransport,
  createLog,
  createMetrics,
  createRabbitmqTransport,
  type Log,
  maskCredentials,
  readConfig,
  runProcess,
  setting,
  settingsTable,
  type Transport,
} from '@pacifica/platform'
import { startDispatcher } from './compose.ts'
import { dispatcherSettings, refuseExposed } from './config.ts'
import { runAsChild } from './isolation/child/run-child.ts'
import { MODE_VARIABLE } from './isolation/child-environment.ts'
import { MARK_VARIABLE } from './isolation/process-tree.ts'
import { migrateTables } from './tables.ts'
import { VERSION } from './version.ts'

/** A dispatcher that runs by itself needs a broker; one in a process with notifications is given its transport. */
const processSettings = {
  ...dispatcherSettings,
  brokerUrl: setting.of('BROKER_URL', brokerUrlKind, {
    doc: 'RabbitMQ, which brings deliveries: `amqp://user:password@host/vhost`; not set: events come by POST /receive alone',
    secret: true,
  }),
} as const

const FLAGS = {
  host: { type: 'string', short: 'a' },
  address: { type: 'string' },
  port: { type: 'string', short: 'p' },
  migrate: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const USAGE = `Usage: node main.js [-a ADDRESS] [-p PORT] [--migrate] [--version] [--help]
Runs the dispatcher that DISPATCHER_MODULE names. --migrate only brings its tables up to date, and ends. Settings are environment variables:

${settingsTable(processSettings)}`

class UsageError extends Error {
  readonly code = 'USAGE'
}

/**
 * Makes this process the service until a signal ends it: configuration from the environment and the command line,
 * log on standard output, exit code 0 after a clean stop.
 *
 * With a dispatcher of its own the program is run again, as a child process, for each task; it then comes here once more,
 * and the handler runs. What the program does before that it does each time.
 * @param dispatcher what `defineDispatcher` gave; without it, the one that DISPATCHER_MODULE names
 */
export async function createDispatcher(dispatcher?: Dispatcher): Promise<void> {
  if (isChild()) return await runTaskHere(dispatcher)
  const args = process.argv.slice(2)
  if (args.includes('--version')) return print(VERSION)
  if (args.includes('--help') || args.includes('-h')) return print(USAGE)
  if (args.includes('--migrate')) return await onlyMigrate(args)
  const log = createLog({ name: 'dispatcher', level: 'info' })
  await runProcess({ log }, async (life) => {
    const config = readSettings(args)
    refuseExposed(config)
    log.level = config.logLevel
    const transport = transportFor(config.brokerUrl, log)
    life.onClose('transport', () => transport.close())
    const own = dispatcher === undefined ? {} : { dispatcher, program: process.argv[1] ?? '' }
    const metrics = createMetrics({ processMetrics: 'on' })
    const needs = { log, transport, metrics, env: process.env, ...own }
    const { name, url } = await startDispatcher(life, needs, config)
    log.info({ dispatcher: name, url, docs: `${url}/docs` }, 'dispatcher.started')
  })
}

/** What a handler starts inherits the mark, but is no child of this kind. */
function isChild(): boolean {
  return process.env[MODE_VARIABLE] !== undefined && process.send !== undefined
}

async function runTaskHere(dispatcher: Dispatcher | undefined): Promise<void> {
  delete process.env[MODE_VARIABLE]
  const mark = process.env[MARK_VARIABLE] ?? ''
  await runAsChild({ mark, ...(dispatcher === undefined ? {} : { dispatcher }) })
}

function readSettings(args: string[]) {
  const env = { ...process.env, ...fromFlags(args) }
  return readConfig(processSettings, { env, prefixes: ['DISPATCHER_'] })
}

/** As a step of a deployment: exit code 0 when the tables are up to date, else 1 with one line on standard error. */
async function onlyMigrate(args: string[]): Promise<void> {
  const log = createLog({ name: 'dispatcher', level: 'warn', destination: process.stderr })
  try {
    const applied = await migrateTables({ log }, readSettings(args))
    for (const name of applied) print(`Migration: ${name}`)
    print('The tables are up to date.')
  } catch (error) {
    if (typeof Reflect.get(Object(error), 'code') !== 'string') throw error
    process.stderr.write(`${maskCredentials((error as Error).message)}\n`)
    process.exitCode = 1
  }
}

function transportFor(url: string | undefined, log: Log): Transport {
  if (url === undefined) return createInProcessTransport({ log })
  return createRabbitmqTransport({ log }, { url, name: 'dispatcher' })
}

/** Flags stand above the environment: they become the variables that they are short for. */
function fromFlags(args: string[]): Record<string, string> {
  const { host, address = host, port } = parseFlags(args)
  return {
    ...(address === undefined ? {} : { DISPATCHER_HOST: address }),
    ...(port === undefined ? {} : { DISPATCHER_PORT: port }),
  }
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS }).values
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`${reason}: see --help`, { cause })
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** This file is what node was started with, and not what an author's program imports. */
function isProgram(): boolean {
  const [, program] = process.argv
  if (program === undefined || !existsSync(program)) return false
  return realpathSync(program) === fileURLToPath(import.meta.url)
}

if (isProgram()) await createDispatcher()
