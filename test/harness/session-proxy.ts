/**
 * A proxy that gives each transaction of a client the other one of two sessions of PostgreSQL, as proxies do that share
 * sessions among many clients. Prepared statements stay in the session where they were made.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const READY = 'Z'.charCodeAt(0)
const NO_TRANSACTION = 'I'.charCodeAt(0)

export interface SessionProxy {
  /** The same database, by way of the proxy. */
  readonly url: string
  close(): Promise<void>
}

export async function startSessionProxy(databaseUrl: string): Promise<SessionProxy> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const kept = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const listener = createServer((client) =>
    share(
      kept(client),
      [1, 2].map(() => kept(connect(Number(port), hostname))),
    ),
  )
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port: own } = listener.address() as AddressInfo
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(own) }).href,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

/** The client's first bytes begin a session at both; it hears of the first one's beginning alone. */
function share(client: Socket, servers: readonly Socket[]): void {
  let turn = 0
  client.once('data', (startup) => {
    for (const server of servers) server.write(startup)
    client.on('data', (bytes) => servers[turn % servers.length]?.write(bytes))
  })
  for (const [place, server] of servers.entries()) {
    let beginning = true
    readMessages(server, (message) => {
      if (!beginning || place === 0) client.write(message)
      if (message[0] !== READY || message.at(-1) !== NO_TRANSACTION) return
      if (!beginning) turn += 1
      beginning = false
    })
    server.on('close', () => client.destroy())
    client.on('close', () => server.destroy())
  }
}

/** A type of one byte, and four bytes that say how long it is without that. */
function readMessages(server: Socket, take: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  server.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 5 && rest.length >= 1 + rest.readUInt32BE(1)) {
      const length = 1 + rest.readUInt32BE(1)
      take(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  })
}
