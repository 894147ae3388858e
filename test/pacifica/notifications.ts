/** The notifications service, composed as its own process composes it, inside a test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNotificationsConfig, startNotifications } from '@pacifica/notifications'
import {
  createInProcessTransport,
  createLifetime,
  createLog,
  type LifetimeControl,
  type Transport,
} from '@pacifica/platform'

export interface RunningNotifications {
  readonly url: string
  readonly transport: Transport
  /** The folder with its key and, without DATABASE_URL, its database. */
  readonly dataDir: string
  /** Everything that was logged, as text. */
  log(): string
  /** Sends JSON, or a text as it is; as `user`, unless that is undefined. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Stops it and starts it again on the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface CallOptions {
  readonly user?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the service said
  readonly json: any
}

/** Whoever asks unless a test says otherwise. */
export const USER = 'dmlb2001'

export async function runNotifications(
  env: Readonly<Record<string, string>> = {},
): Promise<RunningNotifications> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pacifica-notifications-'))
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
  }
  const log = createLog({ name: 'test', level: 'info', destination: { write } })
  let life: LifetimeControl
  let url = ''
  let transport: Transport
  const start = async () => {
    life = createLifetime({ log }, { graceMs: 10_000 })
    const config = readNotificationsConfig({
      env: {
        DATA_DIR: dataDir,
        NOTIFICATIONS_PORT: '0',
        POLICY_URL: 'allow-all',
        TARGET_ALLOW: '127.0.0.0/8',
        ...env,
      },
    })
    transport = createInProcessTransport({ log })
    life.onClose('transport', () => transport.close())
    url = (await startNotifications(life, { log, transport }, config)).url ?? ''
  }
  await start()
  return {
    get url() {
      return url
    },
    get transport() {
      return transport
    },
    dataDir,
    log: () => lines.join(''),
    call: (method, path, options) => call(`${url}${path}`, method, options),
    async restart() {
      await life.stop('the test says so')
      await start()
    },
    async stop() {
      await life.stop('the test is over')
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function call(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
  const user = 'user' in options ? options.user : USER
  const { body, headers } = options
  const bytes = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url, {
    method,
    headers: { ...(user === undefined ? {} : { 'http-remote-user': user }), ...headers },
    // Bytes, not a string: then fetch adds no Content-Type of its own.
    body: bytes === null ? null : new TextEncoder().encode(bytes),
    redirect: 'manual',
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
