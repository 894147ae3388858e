/**
 * Bells between processes: LISTEN on one connection of its own, NOTIFY over the pool. Whoever was not heard while the
 * connection was lost is made up for by ringing every bell when it is back.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { backoff } from '../../runtime/backoff.ts'
import { type Bell, createBell } from '../../runtime/bell.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import { notices } from './notices.ts'

const RECONNECT = { firstMs: 250, maxMs: 5_000 }

interface Needs {
  readonly log: Log
  readonly pool: pg.Pool
  /** A client not yet connected, for listening. */
  client(): pg.Client
}

export interface ServerBells {
  bell(channel: string): Bell
  /** What was rung a moment ago is told to the others before. */
  close(): Promise<void>
}

export function serverBells(needs: Needs): ServerBells {
  const self = randomUUID() // our own notifications are ignored: the bell here has rung already
  const others = notices(needs, self)
  const bells = new Map<string, { local: Bell; shared: Bell }>()
  const closing = new AbortController()
  let listener: pg.Client | undefined
  let listening: Promise<void> | undefined
  let commands: Promise<unknown> = Promise.resolve()

  /** Only ever one statement at a time on a connection. */
  function listenTo(client: pg.Client, channel: string): Promise<unknown> {
    const statement = `LISTEN ${pg.escapeIdentifier(channel)}`
    const done = commands.then(() => client.query(statement)).then(() => ring(channel))
    commands = done.catch(() => {})
    return done
  }

  function ring(channel: string) {
    bells.get(channel)?.local.ring()
  }

  /** One connection's life. Resolves when it is lost. */
  async function listen(onListening: () => void) {
    const client = needs.client()
    const lost = new Promise<void>((resolve) => {
      client.on('error', () => resolve())
      client.on('end', () => resolve())
      closing.signal.addEventListener('abort', () => resolve())
    })
    client.on('notification', ({ channel, payload }) => {
      if (payload !== self) ring(channel)
    })
    try {
      await client.connect()
      listener = client
      await Promise.all([...bells.keys()].map((channel) => listenTo(client, channel)))
      onListening()
      await lost
    } finally {
      listener = undefined
      await client.end().catch(() => {})
    }
  }

  async function keepListening() {
    for (let attempt = 1; !closing.signal.aborted; attempt += 1) {
      await listen(() => {
        if (attempt > 1) needs.log.info('database.listening_again')
        attempt = 0
      }).catch((error: Error) =>
        needs.log.warn({ reason: error.message }, 'database.not_listening'),
      )
      await sleep(backoff(attempt, RECONNECT, Math.random), closing.signal)
    }
  }

  function open(channel: string): Bell {
    const local = createBell()
    const shared: Bell = {
      ring() {
        local.ring()
        others.tell(channel)
      },
      wait: (ms, signal) => local.wait(ms, signal),
    }
    bells.set(channel, { local, shared })
    listening ??= keepListening()
    if (listener) listenTo(listener, channel).catch(() => {}) // lost: all is listened to anew
    return shared
  }

  return {
    bell: (channel) => bells.get(channel)?.shared ?? open(channel),
    async close() {
      if (listener) await others.tellTheRest(listener, commands)
      closing.abort()
      await listening
    },
  }
}
