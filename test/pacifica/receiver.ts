/** A subscriber's endpoint that keeps what it was sent and answers as a test says. */
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { atOnce, readBody, sendForEver } from './listening.ts'

export interface Sent {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Milliseconds on this process's clock. */
  readonly at: number
}

export type ReceiverBehaviour =
  | {
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
      /** The answer comes so much later. */
      readonly afterMs?: number
    }
  | 'silence'
  | 'hang up'
  /** 200 and a body that does not end, as long as somebody reads. */
  | 'endless body'
  /** Decides anew for each request. */
  | ((sent: Sent) => ReceiverBehaviour)

export interface Receiver {
  /** `/a`, `/b`, … are targets of their own. */
  url(path?: string): string
  /** What came to a path so far. */
  sent(path?: string): Sent[]
  /** What came to any path. */
  readonly all: readonly Sent[]
  /** Requests that are not answered yet. */
  readonly open: number
  /** The answers at a path: one after the other, the last one for ever. Default: 200. */
  behave(path: string, ...behaviours: ReceiverBehaviour[]): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Sent[] = []
  const behaviours = new Map<string, ReceiverBehaviour[]>()
  let open = 0
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    open += 1
    response.once('close', () => {
      open -= 1
    })
    const path = request.url ?? '/'
    const body = await readBody(request)
    const sent = { path, headers: request.headers, body, at: performance.now() }
    received.push(sent)
    const line = behaviours.get(path) ?? []
    act(
      response,
      sent,
      (line.length > 1 ? line.shift() : line[0]) ?? { status: 200, body: 'thanks' },
    )
  }
  const server = createServer((request, response) =>
    atOnce(() => answer(request, response), response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: (path = '/') => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    sent: (path = '/') => received.filter((one) => one.path === path),
    all: received,
    get open() {
      return open
    },
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

function act(response: ServerResponse, sent: Sent, behaviour: ReceiverBehaviour): void {
  if (typeof behaviour === 'function') act(response, sent, behaviour(sent))
  else if (behaviour === 'hang up') response.socket?.destroy()
  else if (behaviour === 'endless body') sendForEver(response, () => {})
  else if (behaviour !== 'silence') {
    const { status, headers, body, afterMs } = behaviour
    const answer = () => response.writeHead(status, headers).end(body)
    if (afterMs === undefined) answer()
    else setTimeout(answer, afterMs)
  }
}
