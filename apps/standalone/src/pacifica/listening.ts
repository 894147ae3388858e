/** A simulated service that listens, and ends without leaving anything behind. */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Listening {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  /** Breaks off what is going on. */
  close(): Promise<void>
}

export async function listenOn(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** Whatever goes wrong here is seen by the client as a broken connection. */
export function atOnce(work: () => Promise<void>, response: ServerResponse): void {
  work().catch((error: Error) => response.destroy(error))
}

export async function readBody(request: IncomingMessage): Promise<string> {
  return await text(request)
}

/** Headers, and then a body without end, as long as somebody reads. */
export function sendForEver(response: ServerResponse, count: (bytes: number) => void): void {
  const piece = Buffer.alloc(16 * 1024, 'x')
  response.writeHead(200, { 'content-type': 'application/json' })
  const more = () => {
    while (!response.destroyed && !response.writableEnded) {
      count(piece.length)
      if (!response.write(piece)) return void response.once('drain', more)
    }
  }
  more()
}
