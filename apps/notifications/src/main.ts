/** The notifications service as a process. Reads the environment and the command line, which nothing else here does. */
import { parseArgs } from 'node:util'
import {
  createInProcessTransport,
  createLog,
  createRabbitmqTransport,
  LOG_LEVELS,
  type Log,
  type LogLevel,
  runProcess,
  type Transport,
} from '@pacifica/platform'
import { startNotifications } from './compose.ts'
import { readNotificationsConfig } from './config.ts'
import { VERSION } from './version.ts'

const HELP = `Takes Pacifica events and delivers them to those who subscribed.

  -a, --address, --host HOST   address to listen on (NOTIFICATIONS_HOST)
  -p, --port PORT              port to listen on (NOTIFICATIONS_PORT)
      --version                print the version
  -h, --help                   print this

All settings are environment variables: see docs/guides/settings.md.
Dispatchers are reached through RabbitMQ (BROKER_URL). Without one, dispatch:// targets are tried again until they
are given up. Both services in one process need none: npm start.`

const { values: flags } = parseArgs({
  options: {
    address: { type: 'string', short: 'a' },
    host: { type: 'string' },
    port: { type: 'string', short: 'p' },
    version: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (flags.version) console.log(VERSION)
else if (flags.help) console.log(HELP)
else await run()

async function run(): Promise<void> {
  const log = createLog({ name: 'notifications', level: logLevel(process.env['LOG_LEVEL']) })
  await runProcess({ log }, async (life) => {
    const host = flags.address ?? flags.host
    const env = {
      ...process.env,
      ...(host === undefined ? {} : { NOTIFICATIONS_HOST: host }),
      ...(flags.port === undefined ? {} : { NOTIFICATIONS_PORT: flags.port }),
    }
    const config = readNotificationsConfig({ env, prefixes: ['NOTIFICATIONS_'] })
    const transport = transportFor(config.brokerUrl, log)
    life.onClose('transport', () => transport.close())
    const { url } = await startNotifications(life, { log, transport }, config)
    log.info({ url, roles: config.roles }, 'service.started')
  })
}

function transportFor(url: string | undefined, log: Log): Transport {
  if (url === undefined) return createInProcessTransport({ log })
  return createRabbitmqTransport({ log }, { url, name: 'notifications' })
}

/** A wrong level is reported with all other mistakes; until then the log must begin somehow. */
function logLevel(given: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === given) ?? 'info'
}
