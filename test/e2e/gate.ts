/**
 * Stands before a simulated Cartd and Ingest and holds each task up at the step that its files are named for, until it
 * is let go: so that a test can kill something while every task is at its step.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Listening, listenOn } from '../pacifica/listening.ts'

export const STEPS = [
  'ordered',
  'staging',
  'half-downloaded',
  'in-handler-busy',
  'in-handler-deaf',
  'half-uploaded',
  'uploaded',
  'polling',
] as const
export type Step = (typeof STEPS)[number]

export interface Gate {
  readonly cartdUrl: string
  readonly ingestUrl: string
  /** The steps at which a task is being held. */
  readonly reached: ReadonlySet<Step>
  /** From now on nobody is held, and who is held goes on. */
  open(): void
  /** Holds everybody again. */
  close(): void
  end(): Promise<void>
}

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export async function startGate(urls: { cartd: string; ingest: string }): Promise<Gate> {
  const reached = new Set<Step>()
  const carts = new Map<string, string>()
  const jobs = new Map<string, string>()
  let opened = latch()
  let isOpen = false

  /** Waits there, if it is the step that the task is named for. */
  async function at(step: Step, name: string | undefined): Promise<void> {
    if (isOpen || name === undefined || !name.startsWith(step)) return
    reached.add(step)
    await opened.whenOpen
  }

  async function cartd(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(asked)
    const { pathname } = new URL(asked.url ?? '', urls.cartd)
    if (asked.method === 'POST') carts.set(pathname, JSON.parse(body.toString()).fileids[0].path)
    const name = carts.get(pathname)
    const reply = await forward(urls.cartd, asked, body)
    if (asked.method === 'POST') await at('ordered', name)
    if (asked.method === 'HEAD') await at('staging', name)
    response.writeHead(reply.status, reply.headers)
    const half = Math.floor(reply.body.length / 2)
    if (asked.method === 'GET') {
      response.write(reply.body.subarray(0, half))
      await at('half-downloaded', name)
      response.end(reply.body.subarray(half))
    } else response.end(reply.body)
  }

  async function ingest(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(asked.url ?? '', urls.ingest)
    if (asked.method === 'GET') {
      await at('polling', jobs.get(searchParams.get('job_id') ?? ''))
      return answer(response, await forward(urls.ingest, asked, Buffer.alloc(0)))
    }
    const pieces: Buffer[] = []
    for await (const piece of asked as AsyncIterable<Buffer>) {
      pieces.push(piece)
      if (pieces.length === 1) await at('half-uploaded', nameIn(piece))
    }
    const body = Buffer.concat(pieces)
    const reply = await forward(urls.ingest, asked, body)
    const name = nameIn(body)
    jobs.set(String(JSON.parse(reply.body.toString()).job_id), name)
    await at('uploaded', name)
    answer(response, reply)
  }

  const servers = [await listening(cartd), await listening(ingest)] as const
  return {
    cartdUrl: servers[0].url,
    ingestUrl: servers[1].url,
    reached,
    open() {
      isOpen = true
      opened.open()
    },
    close() {
      isOpen = false
      opened = latch()
      reached.clear()
    },
    async end() {
      opened.open()
      for (const server of servers) await server.close()
    },
  }
}

function latch() {
  let open = () => {}
  const whenOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, whenOpen }
}

/** The name of a tar's first member, without `data/`. */
function nameIn(tar: Buffer): string {
  return tar.toString('latin1', 0, 100).split('\0')[0]?.replace('data/', '') ?? ''
}

function listening(
  handle: (asked: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Listening> {
  // Whoever asked may have been killed.
  return listenOn(
    createServer((asked, response) => {
      response.on('error', () => undefined)
      handle(asked, response).catch(() => response.destroy())
    }),
  )
}

function answer(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, headers).end(body)
}

async function forward(base: string, asked: IncomingMessage, body: Buffer): Promise<Reply> {
  const { method, headers, url = '/' } = asked
  const { host: _host, 'transfer-encoding': _encoding, ...kept } = headers
  return await new Promise((resolve, reject) => {
    const sent = request(new URL(url, base), {
      method: method ?? 'GET',
      headers: { ...kept, 'content-length': body.length },
      agent: false,
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const { statusCode: status = 0, headers } = response
      buffer(response).then((read) => resolve({ status, headers, body: read }), reject)
    })
    sent.end(body)
  })
}
