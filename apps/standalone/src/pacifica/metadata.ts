/**
 * A simulated Metadata: takes what Ingest has ingested, tells notifications of it once and never again, and answers who
 * asks for key-values, by the routes of pacifica-metadata.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { MetadataEntry } from './ingest-bundle.ts'
import { atOnce, type Listening, listenOn, readBody } from './listening.ts'
import { announcement, mistakeOf, numberOf } from './metadata-entries.ts'
import { answerOf } from './metadata-queries.ts'

/** Each switch is one way to fail; none is on unless set. */
export interface MetadataFaults {
  /** The PUT gets this status, and nothing is kept. */
  readonly refuses?: number
  /** The PUT is never answered, or its connection is reset. */
  readonly hangs?: boolean
  readonly resets?: boolean
  /** Kept, but nobody is told: a Metadata whose notifications are disabled. */
  readonly tellsNobody?: boolean
  /** What is sent instead of the event. */
  readonly says?: (event: string) => string
}

/** An event that was sent, and what came of it: nothing more is ever done about it. */
export interface Announcement {
  readonly transaction: number
  readonly event: string
  /** Undefined: no answer came. */
  readonly status: number | undefined
  /** The answer's body, or why there is none. */
  readonly answer: string
}

export interface SimulatedMetadata extends Listening {
  /** Where events go from now on, notifications' `/receive`; before, they go nowhere. */
  notify(url: string): void
  /** Every transaction as Ingest put it, by its number. */
  readonly transactions: ReadonlyMap<number, readonly MetadataEntry[]>
  /** In the order in which they were answered. */
  readonly announced: readonly Announcement[]
}

export interface MetadataOptions {
  /** For each PUT, counted from 1; none unless given. */
  readonly faults?: (put: number) => MetadataFaults
}

interface World {
  readonly transactions: Map<number, readonly MetadataEntry[]>
  readonly announced: Announcement[]
  readonly ended: AbortSignal
  notifications: string | undefined
}

export async function startMetadata({
  faults = () => ({}),
}: MetadataOptions = {}): Promise<SimulatedMetadata> {
  const ended = new AbortController()
  const world: World = {
    transactions: new Map(),
    announced: [],
    ended: ended.signal,
    notifications: undefined,
  }
  let puts = 0
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://metadata')
    if (request.method === 'PUT' && pathname === '/ingest') {
      puts += 1
      const switched = faults(puts)
      atOnce(() => ingest(world, switched, request, response), response)
      return
    }
    const answer = request.method === 'GET' ? answerOf(world.transactions, pathname) : undefined
    if (answer === undefined) json(response, 404, { message: `no such path: ${pathname}` })
    else json(response, 200, answer)
  })
  const listening = await listenOn(server)
  return {
    url: listening.url,
    transactions: world.transactions,
    announced: world.announced,
    notify(url) {
      world.notifications = url
    },
    async close() {
      ended.abort()
      await listening.close()
    },
  }
}

/** As the real one: the event goes out before the PUT is answered. */
async function ingest(
  world: World,
  faults: MetadataFaults,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const text = await readBody(request)
  if (faults.hangs) return
  if (faults.resets) return void response.destroy()
  if (faults.refuses !== undefined) return json(response, faults.refuses, { message: 'not now' })
  const entries: MetadataEntry[] = JSON.parse(text)
  const mistake = mistakeOf(entries) ?? duplicateIn(world, entries)
  if (mistake !== undefined) return json(response, 500, { message: mistake })
  world.transactions.set(numberOf(entries), entries)
  if (!faults.tellsNobody) await announce(world, faults, entries)
  json(response, 200, { status: 'success' })
}

function duplicateIn({ transactions }: World, entries: readonly MetadataEntry[]) {
  const known = transactions.has(numberOf(entries))
  return known ? 'peewee.IntegrityError: duplicate key value' : undefined
}

/** Once: whatever is not 2xx means that the event is lost on this side. */
async function announce(
  world: World,
  { says = (event) => event }: MetadataFaults,
  entries: readonly MetadataEntry[],
): Promise<void> {
  if (world.notifications === undefined) return
  const sent = { transaction: numberOf(entries), event: says(announcement(entries, new Date())) }
  const headers = { 'content-type': 'application/json' }
  const post = { method: 'POST', headers, body: sent.event, signal: world.ended }
  try {
    const response = await fetch(world.notifications, post)
    world.announced.push({ ...sent, status: response.status, answer: await response.text() })
  } catch (error) {
    world.announced.push({ ...sent, status: undefined, answer: String(error) })
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
