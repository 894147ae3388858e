/** One connection with one channel on it: opened together, and over as soon as either is lost. */
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import type { BrokerAddress } from './broker-url.ts'

export interface SessionOptions {
  readonly address: BrokerAddress
  /** In the broker's list of connections. */
  readonly name: string
  /** Seconds. A connection is lost after two to three of them in silence. */
  readonly heartbeat: number
  /** For the connection, the channel and the declarations together. */
  readonly openTimeoutMs: number
  /** For amqps: certificates of a private authority, PEM. */
  readonly ca?: string
}

/** Declares what is needed and subscribes; may call `lost` at any time after. */
export type SetUp = (channel: ConfirmChannel, lost: (reason: string) => void) => Promise<void>

export interface Session {
  readonly channel: ConfirmChannel
  /** Why the broker takes no messages just now, in its own words. */
  readonly blocked: string | undefined
  /** Resolves with the reason as soon as it is over. */
  readonly over: Promise<string>
  end(reason: string): void
  /** Lets go of all of it, politely where there still is somebody. */
  close(): Promise<void>
}

export class SessionError extends Error {
  readonly code = 'BROKER_SESSION'
}

/** How long a broker may take to say goodbye. */
const GOODBYE_MS = 2_000

/** Rejects with a SessionError when it cannot be opened, or `signal` aborts meanwhile. */
export async function openSession(
  { log, setUp }: { log: Log; setUp: SetUp },
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const socket = new AbortController()
  const end = firstReason()
  const giveUp = (reason: string) => {
    end.reach(reason)
    socket.abort()
  }
  const onAbort = () => giveUp('closed while it was opened')
  const { openTimeoutMs } = options
  const limit = setTimeout(() => giveUp(`no answer within ${openTimeoutMs} ms`), openTimeoutMs)
  signal.addEventListener('abort', onAbort)
  // A call that is made while its connection goes may never be answered by amqplib: the limit holds all the same.
  const over = end.reached.then((reason): never => {
    throw new SessionError(reason)
  })
  over.catch(() => {}) // it also rejects, unheard, when the session is over later
  let connection: ChannelModel | undefined
  try {
    connection = await Promise.race([dial(options, socket.signal), over])
    connection.on('error', (error: Error) => end.reach(error.message))
    connection.on('close', (error?: Error) => end.reach(error?.message ?? 'closed'))
    const blocked = watchBlocked(connection, log)
    const channel = await Promise.race([connection.createConfirmChannel(), over])
    channel.on('error', (error: Error) => end.reach(error.message))
    // With its connection the channel is closed first, and the reason comes after.
    channel.on('close', () => queueMicrotask(() => end.reach('the channel was closed')))
    await Promise.race([setUp(channel, end.reach), over])
    if (end.reason !== undefined) throw new SessionError(end.reason)
    return openedSession({ connection, channel, blocked, end, socket })
  } catch (error) {
    if (connection !== undefined && !socket.signal.aborted) await goodbye(connection)
    socket.abort()
    const said = error instanceof Error ? error.message : String(error)
    throw new SessionError(end.reason ?? inWords(said, options.address), { cause: error })
  } finally {
    clearTimeout(limit)
    signal.removeEventListener('abort', onAbort)
  }
}

/** amqplib does not say why a connection was closed instead of opened; RabbitMQ does that over the virtual host. */
function inWords(said: string, { vhost }: BrokerAddress): string {
  if (!/^Expected ConnectionOpenOk; got <ConnectionClose/.test(said)) return said
  return `the virtual host '${vhost}' does not exist, or the user has no permissions in it`
}

function openedSession(parts: {
  connection: ChannelModel
  channel: ConfirmChannel
  blocked: { readonly reason: string | undefined }
  end: ReturnType<typeof firstReason>
  socket: AbortController
}): Session {
  const { connection, channel, blocked, end, socket } = parts
  return {
    channel,
    get blocked() {
      return blocked.reason
    },
    over: end.reached,
    end: end.reach,
    async close() {
      end.reach('closed')
      await goodbye(connection, channel)
      socket.abort()
    },
  }
}

/** The signal destroys the socket, whatever state the connection is in. */
function dial(options: SessionOptions, signal: AbortSignal): Promise<ChannelModel> {
  const { protocol, hostname, port, username, password, vhost, heartbeat } = options.address
  return connect(
    {
      ...{ protocol, hostname, port, username, password },
      vhost: encodeURIComponent(vhost), // amqplib decodes it
      heartbeat: heartbeat ?? options.heartbeat,
    },
    {
      noDelay: true,
      clientProperties: { connection_name: options.name },
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...({ signal } satisfies { signal: AbortSignal }), // handed on to node's socket
    },
  )
}

function watchBlocked(connection: ChannelModel, log: Log): { reason: string | undefined } {
  const state: { reason: string | undefined } = { reason: undefined }
  connection.on('blocked', (reason: string) => {
    state.reason = reason
    log.warn({ reason }, 'broker.blocked')
  })
  connection.on('unblocked', () => {
    state.reason = undefined
    log.info('broker.unblocked')
  })
  return state
}

/** The channel first: amqplib lets a connection's goodbye overtake the acknowledgements that a channel still holds. */
async function goodbye(connection: ChannelModel, channel?: ConfirmChannel): Promise<void> {
  const said = new AbortController()
  const saying = quietly(async () => channel?.close())
    .then(() => quietly(() => connection.close()))
    .then(() => said.abort())
  await Promise.race([saying, sleep(GOODBYE_MS, said.signal)])
  said.abort()
}

/** What is closed already says so by throwing. */
async function quietly(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch {}
}

/** The first reason stands: what follows is its echo. */
function firstReason() {
  let resolve: (reason: string) => void = () => {}
  const reached = new Promise<string>((found) => {
    resolve = found
  })
  const end = {
    reason: undefined as string | undefined,
    reached,
    reach(reason: string) {
      end.reason ??= reason
      resolve(end.reason)
    },
  }
  return end
}
