#!/usr/bin/env node
/** The notifications service as a process. Reads the environment and the command line, which nothing else here does. */
import { homedir } from 'node:os'
import { parseArgs } from 'node:util'
import {
  createInProcessTransport,
  createLog,
  createMetrics,
  createRabbitmqTransport,
  type Lifetime,
  type Log,
  logLevelOf,
  runProcess,
  type Transport,
} from '@pacifica/platform'
import { startNotifications } from './compose.ts'
import { readNotificationsConfig } from './config.ts'
import { findSources } from './config-sources.ts'
import { notesOnSettings } from './notes.ts'
import { VERSION } from './version.ts'

const HELP = `Takes Pacifica events and delivers them to those who subscribed.

  -c, --config FILE            INI file (NOTIFICATIONS_CONFIG; else ~/.pacifica-notifications/config.ini, if it is there)
      --cpconfig FILE          CherryPy file: address and port are taken from it (NOTIFICATIONS_CPCONFIG)
  -a, --address, --host HOST   address to listen on (NOTIFICATIONS_HOST)
  -p, --port PORT              port to listen on (NOTIFICATIONS_PORT)
      --version                print the version
  -h, --help                   print this

Settings come from the environment, then from the INI file: see docs/guides/settings.md. The tables are brought up to
date by pacifica-notifications-cmd dbsync.
Dispatchers are reached through RabbitMQ (BROKER_URL). Without one, dispatch:// targets are tried again until they
are given up. Both services in one process need none: npm start.`

const { values: flags } = parseArgs({
  options: {
    config: { type: 'string', short: 'c' },
    cpconfig: { type: 'string' },
    address: { type: 'string', short: 'a' },
    host: { type: 'string' },
    port: { type: 'string', short: 'p' },
    // As the Python service has it, for tests: not in the help.
    'stop-after-a-moment': { type: 'boolean' },
    version: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (flags.version) console.log(VERSION)
else if (flags.help) console.log(HELP)
else await run()

async function run(): Promise<void> {
  const log = createLog({ name: 'notifications', level: logLevelOf(process.env['LOG_LEVEL']) })
  await runProcess({ log }, async (life) => {
    const host = flags.address ?? flags.host
    const env = {
      ...process.env,
      ...(host === undefined ? {} : { NOTIFICATIONS_HOST: host }),
      ...(flags.port === undefined ? {} : { NOTIFICATIONS_PORT: flags.port }),
    }
    const { config: file, cpconfig } = flags
    const { sources, notes } = findSources(env, { config: file, cpconfig, home: homedir() })
    const config = readNotificationsConfig(sources)
    for (const note of [...notes, ...notesOnSettings(config)]) log.info({ note }, 'config.note')
    const transport = transportFor(config.brokerUrl, log)
    life.onClose('transport', () => transport.close())
    const metrics = createMetrics({ processMetrics: 'on' })
    const { operations: url } = await startNotifications(life, { log, transport, metrics }, config)
    log.info({ url, roles: config.roles }, 'service.started')
    if (flags['stop-after-a-moment']) stopAfterAMoment(life)
  })
}

function stopAfterAMoment(life: Lifetime): void {
  const timer = setTimeout(() => process.kill(process.pid, 'SIGTERM'), 20_000)
  life.onClose('moment', () => clearTimeout(timer))
}

function transportFor(url: string | undefined, log: Log): Transport {
  if (url === undefined) return createInProcessTransport({ log })
  return createRabbitmqTransport({ log }, { url, name: 'notifications' })
}
