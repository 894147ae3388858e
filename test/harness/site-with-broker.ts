/** The notifications service in this process, on a database and a broker of its own, for tests of what lies between. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLifetime, createRabbitmqTransport } from '@pacifica/platform'
import { type ConfirmChannel, connect, type Options } from 'amqplib'
import { startNotifications } from '../../apps/notifications/src/compose.ts'
import { readNotificationsConfig } from '../../apps/notifications/src/config.ts'
import { type Engine, silentLog as log } from './migrated-database.ts'
import { createTestVhost } from './rabbitmq-vhost.ts'
import { createTestDatabase } from './test-database.ts'

export type BrokerChannel = ConfirmChannel
export type PublishOptions = Options.Publish

export interface Site {
  /** DATA_DIR, BROKER_URL and, on a server, DATABASE_URL. */
  readonly env: Readonly<Record<string, string>>
  /** Administrators are called `root`. Ends with the site at the latest. */
  start(env?: Readonly<Record<string, string>>): Promise<{ url: string; stop(): Promise<unknown> }>
  /** A connection and a channel of one's own to the broker; a mistake closes the channel. */
  openChannel(): Promise<BrokerChannel>
  /** Something that is closed before the database and the broker go. */
  onClose(close: () => Promise<unknown>): void
  close(): Promise<void>
}

export async function openSiteWithBroker(engine: Engine): Promise<Site> {
  const closing: (() => Promise<unknown>)[] = []
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-site-'))
  closing.push(() => rm(folder, { recursive: true, force: true }))
  const vhost = await createTestVhost()
  closing.push(vhost.drop)
  const server = engine === 'postgresql' ? await createTestDatabase() : undefined
  if (server !== undefined) closing.push(server.drop)
  const env = {
    ...{ DATA_DIR: folder, BROKER_URL: vhost.url },
    ...(server === undefined ? {} : { DATABASE_URL: server.url }),
  }
  return {
    env,
    async start(more = {}) {
      const life = createLifetime({ log }, { graceMs: 30_000 })
      const stop = () => life.stop('the test is over')
      closing.push(stop)
      const all = { ...env, ...more }
      const fixed = { NOTIFICATIONS_PORT: '0', POLICY_URL: 'allow-all', ADMIN_USERS: 'root' }
      const config = readNotificationsConfig({ env: { ...fixed, ...all } })
      const transport = createRabbitmqTransport({ log }, { url: all.BROKER_URL, name: 'test' })
      life.onClose('transport', () => transport.close())
      const { url = '' } = await startNotifications(life, { log, transport }, config)
      return { url, stop }
    },
    async openChannel() {
      const connection = await connect(vhost.url)
      closing.push(() => connection.close())
      const channel = await connection.createConfirmChannel()
      channel.on('error', () => {}) // told by what was asked for
      return channel
    },
    onClose: (close) => closing.push(close),
    async close() {
      for (const close of closing.splice(0).reverse()) await close()
    },
  }
}

/** What `look` finds, as soon as it finds something. */
export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 120_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether the service says that it is ready. */
export async function isReady(url: string): Promise<true | undefined> {
  return (await fetch(`${url}/readyz`)).ok ? true : undefined
}
