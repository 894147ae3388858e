/**
 * Everything that a run needs, really there: PostgreSQL (as durable as in production), RabbitMQ, one api, workers,
 * dispatchers, and the simulated outside. Gone with `close`, and also when this process is killed.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../harness/free-port.ts'
import { guardFolder, releaseFolder } from '../harness/guard.ts'
import { type Postgres, startPostgres } from '../harness/postgres.ts'
import { type Rabbitmq, startRabbitmq } from '../harness/rabbitmq.ts'
import { type PolicyServer, startPolicy } from '../pacifica/policy.ts'
import type { FaultOptions } from './options.ts'
import { SECRETS } from './secrets.ts'
import { type Service, service } from './service.ts'
import { startTargets, type Targets } from './targets.ts'
import { waitUntil } from './wait-until.ts'

export interface Stage {
  readonly postgres: Postgres
  readonly rabbitmq: Rabbitmq
  readonly policy: PolicyServer
  readonly targets: Targets
  readonly services: readonly Service[]
  readonly api: string
  readonly dispatchers: readonly string[]
  readonly databases: { readonly notifications: string; readonly dispatcher: string }
  /** Processes that were started here, or by those, and are still there. */
  leftOver(): string[]
  close(): Promise<void>
}

const ADMIN = 'root'

/** What was opened is closed in the reverse order, also when something later could not be opened. */
class Closers {
  readonly #all: (() => Promise<unknown> | unknown)[] = []
  add(close: () => Promise<unknown> | unknown) {
    this.#all.unshift(close)
  }
  async close() {
    for (const close of this.#all.splice(0)) await close()
  }
}

export async function openStage(options: FaultOptions): Promise<Stage> {
  const closers = new Closers()
  try {
    return await open(options, closers)
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function open(options: FaultOptions, closers: Closers): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'pacifica-faults-'))
  const guard = guardFolder(folder)
  closers.add(() => releaseFolder(guard, folder))
  const [postgres, rabbitmq] = await openEngines(closers)
  const databases = {
    notifications: (await postgres.createDatabase()).url,
    dispatcher: (await postgres.createDatabase()).url,
  }
  const policy = await startPolicy()
  closers.add(() => policy.close())
  const targets = await startTargets()
  closers.add(() => targets.receiver.close())
  const broker = await brokerUrl(rabbitmq)
  const place = { folder, databases, broker, policy: policy.url }
  const { services, api, dispatchers } = await openServices(place, options)
  closers.add(() => Promise.all(services.map((each) => each.kill())))
  await services[0]?.start() // it makes the tables
  await Promise.all(services.slice(1).map((each) => each.start()))
  return {
    ...{ postgres, rabbitmq, policy, targets, services, api, dispatchers, databases },
    leftOver: () => processesWith(folder),
    close: () => closers.close(),
  }
}

async function openEngines(closers: Closers): Promise<[Postgres, Rabbitmq]> {
  const opening = [
    startPostgres({ own: true, durable: true }),
    startRabbitmq({ own: true }),
  ] as const
  for (const engine of opening)
    closers.add(async () => (await engine.catch(() => undefined))?.stop())
  return await Promise.all(opening)
}

/** A user of its own, whose password is a secret, on a virtual host of its own. */
async function brokerUrl(rabbitmq: Rabbitmq): Promise<string> {
  const { name, url } = await rabbitmq.createVhost()
  await rabbitmq.ctl('add_user', 'pacifica', SECRETS.broker)
  await rabbitmq.ctl('set_permissions', '--vhost', name, 'pacifica', '.*', '.*', '.*')
  return url.replace('amqp://', `amqp://pacifica:${SECRETS.broker}@`)
}

interface Place {
  readonly folder: string
  readonly databases: Stage['databases']
  readonly broker: string
  readonly policy: string
}

async function openServices(place: Place, options: FaultOptions) {
  const { folder } = place
  const home = (name: string) => {
    mkdirSync(join(folder, name), { recursive: true })
    return join(folder, name)
  }
  const files = credentialFiles(folder)
  const apiPort = await freePort()
  const notifications = (name: string, roles: string, kind: Service['kind'], more: object) =>
    service({
      ...{ name, kind, folder, entry: 'apps/notifications/dist/main.js' },
      env: { ...notificationsEnv(place, options), DATA_DIR: home(name), ROLES: roles, ...more },
    })
  const listening = { NOTIFICATIONS_PORT: String(apiPort), ...files }
  const services = [notifications('api', 'api', 'api', listening)]
  for (let number = 1; number <= options.workers; number += 1)
    services.push(
      notifications(`worker-${number}`, 'match,deliver,intake', 'worker', {
        NOTIFICATIONS_PORT: String(await freePort()),
      }),
    )
  const dispatchers: string[] = []
  for (let number = 1; number <= options.dispatchers; number += 1) {
    const port = await freePort()
    const name = `dispatcher-${number}`
    dispatchers.push(`http://127.0.0.1:${port}`)
    const env = { ...dispatcherEnv(place), DATA_DIR: home(name), DISPATCHER_PORT: String(port) }
    const entry = 'apps/dispatcher/dist/main.js'
    services.push(service({ name, kind: 'dispatcher', folder, entry, env }))
  }
  return { services, api: `http://127.0.0.1:${apiPort}`, dispatchers }
}

/** Without a password in the address PostgreSQL would let everybody in just the same: it is there to be looked for. */
function withPassword(url: string): string {
  return Object.assign(new URL(url), { password: SECRETS.database }).href
}

/** A process that is started while the database is away waits for it, and soon notices that it is back. */
const PATIENT = { DATABASE_CONNECT_ATTEMPTS: '1000', DATABASE_CONNECT_WAIT: '200ms' }

function notificationsEnv(place: Place, { deliveryTimeout }: FaultOptions) {
  return {
    ...PATIENT,
    DATABASE_URL: withPassword(place.databases.notifications),
    BROKER_URL: place.broker,
    POLICY_URL: Object.assign(new URL(place.policy), {
      username: 'policy',
      password: SECRETS.policy,
    }).href,
    POLICY_TIMEOUT: '2s',
    MATCH_LEASE: '30s',
    DELIVERY_TIMEOUT: deliveryTimeout,
    TARGET_ALLOW: '127.0.0.0/8',
    ADMIN_USERS: ADMIN,
    SECRET_KEY_FILE: join(place.folder, 'secret.key'),
  }
}

function dispatcherEnv(place: Place) {
  return {
    ...PATIENT,
    DISPATCHER_DATABASE_URL: withPassword(place.databases.dispatcher),
    BROKER_URL: place.broker,
    DISPATCHER_MODULE: join(import.meta.dirname, '../e2e/dispatchers/noop.mjs'),
    DISPATCHER_LEASE: '10s',
    CARTD_URL: `file://${place.folder}/`,
    INGEST_URL: `file://${place.folder}/`,
  }
}

function credentialFiles(folder: string) {
  const files = {
    API_TOKENS: `${SECRETS.admin} ${ADMIN} admin\n`,
    RECEIVE_AUTH: `bearer ${SECRETS.receive}\n`,
  }
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name.toLowerCase())
    writeFileSync(path, text)
    chmodSync(path, 0o600)
    return [name, path]
  })
  return Object.fromEntries(paths) as Record<keyof typeof files, string>
}

/** By the folder, which stands in the environment of each and is handed down to what they start. Linux alone shows it. */
function processesWith(folder: string): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => textOf(`/proc/${pid}/environ`).includes(folder))
    .map((pid) => `${pid} ${textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** Resolves when none of the services' processes is there any more. */
export async function untilNothingRuns(stage: Stage): Promise<void> {
  await waitUntil('no process is left', () => stage.leftOver().length === 0)
}
