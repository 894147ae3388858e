import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** A way to a server that can fall silent: connections stay open, and not a byte comes through. */
export interface TcpProxy {
  readonly port: number
  silent: boolean
  close(): Promise<void>
}

/** With `tls`, clients speak TLS to it and the server hears plain text. */
export async function startTcpProxy(to: number, tls?: TlsOptions): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const proxy = { silent: false }
  const carry = (from: Socket, into: Socket) => {
    sockets.add(from)
    from.on('data', (bytes) => proxy.silent || into.write(bytes))
    from.on('error', () => {}) // and is closed
    from.on('close', () => {
      sockets.delete(from)
      if (!proxy.silent) into.destroy()
    })
  }
  const onConnection = (client: Socket) => {
    const server = connect(to, '127.0.0.1')
    carry(client, server)
    carry(server, client)
  }
  const listener = tls ? createTlsServer(tls, onConnection) : createServer(onConnection)
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return Object.assign(proxy, {
    port: (listener.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  })
}
