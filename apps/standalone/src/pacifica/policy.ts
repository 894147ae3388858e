/**
 * Pacifica Policy as notifications meets it: `POST /events/{user}` with the event. Like the real one it says yes to
 * ingest events, and 412 to other types unless the user is an admin; switches make it say or do anything else.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atOnce, sendForEver } from './listening.ts'

export interface AskedPolicy {
  /** The last segment of the path as it came, still percent-encoded. */
  readonly segment: string
  readonly path: string
  readonly user: string
  readonly body: string
  readonly contentType: string | undefined
  readonly authorization: string | undefined
}

export type PolicyBehaviour =
  /** Yes or no by the event's type, as the real service. */
  | 'as it is'
  | 'yes'
  | 'no'
  /** The socket is closed without an answer. */
  | 'hang up'
  /** The request is taken and never answered. */
  | 'silence'
  /** Headers come, the body never ends: it is sent as long as somebody reads. */
  | 'endless body'
  /** Headers come, the body does not. */
  | 'headers only'
  /** To somewhere that would say yes. */
  | 'redirect'
  | { readonly status: number; readonly body?: string }

export interface PolicyServer {
  readonly url: string
  readonly asked: readonly AskedPolicy[]
  /** For everybody, or for one user. */
  behave(behaviour: PolicyBehaviour, user?: string): void
  /** What was sent of endless bodies, in bytes. */
  readonly sent: number
  close(): Promise<void>
}

const INGEST = 'org.pacifica.metadata.ingest'

export async function startPolicy(options: { admins?: string[] } = {}): Promise<PolicyServer> {
  const asked: AskedPolicy[] = []
  const behaviours = new Map<string, PolicyBehaviour>()
  let everybody: PolicyBehaviour = 'as it is'
  let sent = 0

  const act = (behaviour: PolicyBehaviour, question: AskedPolicy, response: ServerResponse) => {
    if (typeof behaviour === 'object') return reply(response, behaviour.status, behaviour.body)
    switch (behaviour) {
      case 'yes':
        return reply(response, 200, '{"status": "success"}')
      case 'no':
        return reply(response, 412, '{"message": "Precondition Failed: no such project"}')
      case 'as it is': {
        const type: unknown = JSON.parse(question.body).eventType
        const admin = options.admins?.includes(question.user) === true
        return act(type === INGEST || admin ? 'yes' : 'no', question, response)
      }
      case 'hang up':
        return void response.socket?.destroy()
      case 'silence':
        return undefined
      case 'headers only':
        return void response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      case 'redirect':
        response.setHeader('location', '/events/somebody-else')
        return reply(response, 302, '')
      case 'endless body':
        return sendForEver(response, (bytes) => {
          sent += bytes
        })
    }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const question = await read(request)
    asked.push(question)
    if (!question.path.startsWith('/events/')) return reply(response, 404, 'Not Found')
    act(behaviours.get(question.user) ?? everybody, question, response)
  }
  const server = createServer((request, response) =>
    atOnce(() => answer(request, response), response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    behave(behaviour, user) {
      if (user === undefined) everybody = behaviour
      else behaviours.set(user, behaviour)
    },
    get sent() {
      return sent
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function read(request: IncomingMessage): Promise<AskedPolicy> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  const path = request.url ?? ''
  const segment = path.slice(path.lastIndexOf('/') + 1)
  return {
    path,
    segment,
    user: decodeURIComponent(segment),
    body: Buffer.concat(pieces).toString('utf8'),
    contentType: request.headers['content-type'],
    authorization: request.headers.authorization,
  }
}

function reply(response: ServerResponse, status: number, body = ''): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}
