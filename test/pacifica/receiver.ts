/** A subscriber's endpoint that keeps what it was sent and answers as a test says. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Sent {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Milliseconds on this process's clock. */
  readonly at: number
}

export type ReceiverBehaviour =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  | 'silence'
  | 'hang up'

export interface Receiver {
  /** `/a`, `/b`, … are targets of their own. */
  url(path?: string): string
  /** What came to a path so far. */
  sent(path?: string): Sent[]
  /** The answers at a path: one after the other, the last one for ever. Default: 200. */
  behave(path: string, ...behaviours: ReceiverBehaviour[]): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Sent[] = []
  const behaviours = new Map<string, ReceiverBehaviour[]>()
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const path = request.url ?? '/'
    const body = Buffer.concat(pieces).toString('utf8')
    received.push({ path, headers: request.headers, body, at: performance.now() })
    const line = behaviours.get(path) ?? []
    act(response, (line.length > 1 ? line.shift() : line[0]) ?? { status: 200, body: 'thanks' })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: (path = '/') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    sent: (path = '/') => received.filter((one) => one.path === path),
    behave(path, ...given) {
      behaviours.set(path, given)
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function act(response: ServerResponse, behaviour: ReceiverBehaviour): void {
  if (behaviour === 'hang up') response.socket?.destroy()
  else if (behaviour !== 'silence')
    response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body)
}
