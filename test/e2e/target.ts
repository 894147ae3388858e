/** A subscriber's endpoint that remembers what it was sent. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly webhookId: string
  readonly eventId: string
  /** `none` without the header. */
  readonly authorization: string
}

export interface TargetServer {
  readonly url: string
  readonly received: readonly Received[]
  close(): Promise<void>
}

export async function startTarget(): Promise<TargetServer> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const event = JSON.parse(Buffer.concat(pieces).toString('utf8')) as { eventID: string }
    received.push({
      webhookId: String(request.headers['webhook-id']),
      eventId: event.eventID,
      authorization: request.headers.authorization ?? 'none',
    })
    response.end('thanks')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
