/** A PostgreSQL that can be taken away, the notifications service on it, and a client that posts and remembers. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import {
  freePort,
  type Postgres,
  type ServiceProcess,
  startPostgres,
  startService,
} from '../harness/index.ts'

/** What got a 200: the id in the answer, and the body that was posted. */
export type Answered = Map<string, string>

export interface Site {
  readonly postgres: Postgres
  readonly folder: string
  readonly databaseUrl: string
  /** Another process on the same database and, unless said otherwise, the same DATA_DIR. */
  start(env?: Readonly<Record<string, string>>): Promise<RunningService>
  /** Everything that is stored, once the service had time to take it in. */
  storedOnce(answered: Answered): Promise<StoredOnce>
  close(): Promise<void>
}

export interface RunningService {
  readonly url: string
  readonly process: ServiceProcess
  /** Resolves when `path` is answered with `status`. */
  until(path: string, status: number): Promise<void>
}

export interface StoredOnce {
  readonly missing: readonly string[]
  readonly changed: readonly string[]
  readonly twice: readonly string[]
}

export const PATIENCE = 180_000

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-spool-e2e-'))
  const postgres = await startPostgres({ durable: true, own: true })
  const { url: databaseUrl } = await postgres.createDatabase()
  const running: RunningService[] = []
  return {
    ...{ postgres, folder, databaseUrl },
    async start(env = {}) {
      const service = await startOne({ DATABASE_URL: databaseUrl, DATA_DIR: folder, ...env })
      running.push(service)
      return service
    },
    storedOnce: (answered) => storedOnce(databaseUrl, answered),
    async close() {
      await Promise.all(running.map(({ process }) => process.kill('SIGKILL')))
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startOne(env: Record<string, string>): Promise<RunningService> {
  const port = await freePort()
  const service = startService('apps/notifications/dist/main.js', {
    NOTIFICATIONS_PORT: String(port),
    POLICY_URL: 'allow-all',
    DEFAULT_USER: 'ann',
    TARGET_ALLOW: '127.0.0.0/8',
    ...env,
  })
  const url = `http://127.0.0.1:${port}`
  const until = async (path: string, status: number) => {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      const answer = await fetch(`${url}${path}`).catch(() => undefined)
      await answer?.arrayBuffer()
      if (answer?.status === status) return
      if (performance.now() > deadline)
        throw new Error(`${path} is not ${status}, but ${answer?.status}:\n${service.output()}`)
      await pause(50)
    }
  }
  await until('/healthz', 200)
  return { url, process: service, until }
}

export function anEventText(id: string = randomUUID()): string {
  return `{"cloudEventsVersion": "0.1", "eventType": "t", "source": "/s", "eventID": "${id}", "data": [1.0]}`
}

export interface Posted {
  readonly answered: Answered
  /** Status 0: it met a dead service. */
  readonly refused: number[]
}

/** Posts so many, each once. */
export async function post(url: () => string, count: number): Promise<Posted> {
  let left = count
  const posting = postWhile(() => left-- > 0, url)
  await posting.ended
  return posting
}

export interface Posting extends Posted {
  /** Resolves when so many were answered with 200. */
  until(count: number): Promise<void>
  stop(): Promise<void>
}

/** Posts one after the other, each once, until it is stopped. */
export function keepPosting(url: () => string): Posting {
  let stopped = false
  const posting = postWhile(() => !stopped, url)
  return {
    ...posting,
    async until(count) {
      const deadline = performance.now() + PATIENCE / 4
      while (posting.answered.size < count) {
        if (performance.now() > deadline)
          throw new Error(`of ${count} events ${posting.answered.size} were answered with 200`)
        await pause(20)
      }
    },
    stop() {
      stopped = true
      return posting.ended
    },
  }
}

function postWhile(more: () => boolean, url: () => string): Posted & { ended: Promise<void> } {
  const answered: Answered = new Map()
  const refused: number[] = []
  const poster = async () => {
    while (more()) {
      const body = anEventText()
      const answer = await postOne(url(), body)
      if (answer.status === 200) answered.set(answer.text, body)
      else refused.push(answer.status)
      if (answer.status === 0) await pause(20)
    }
  }
  const ended = Promise.all(Array.from({ length: 8 }, poster)).then(() => {})
  return { answered, refused, ended }
}

/** Status 0 when nobody answered. */
export async function postOne(
  url: string,
  body: string,
): Promise<{ status: number; text: string; retryAfter: string | null }> {
  const headers = { 'content-type': 'application/json' }
  try {
    const answer = await fetch(`${url}/receive`, { method: 'POST', headers, body })
    const retryAfter = answer.headers.get('retry-after')
    return { status: answer.status, text: await answer.text(), retryAfter }
  } catch {
    return { status: 0, text: '', retryAfter: null }
  }
}

async function storedOnce(databaseUrl: string, answered: Answered): Promise<StoredOnce> {
  const deadline = performance.now() + PATIENCE / 3
  for (;;) {
    const rows = await readEvents(databaseUrl)
    const texts = new Map(rows.map((row) => [row.uuid, row.jsondata]))
    const missing = [...answered.keys()].filter((uuid) => !texts.has(uuid))
    if (missing.length === 0 || performance.now() > deadline) {
      const changed = [...answered].filter(([uuid, text]) => texts.get(uuid) !== text)
      const ids = rows.map((row) => row.event_id)
      const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
      return { missing, changed: changed.map(([uuid]) => uuid), twice }
    }
    await pause(200)
  }
}

async function readEvents(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const sql = 'SELECT uuid, jsondata, event_id FROM eventlog'
    const { rows } = await client.query<{ uuid: string; jsondata: string; event_id: string }>(sql)
    return rows
  } finally {
    await client.end()
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
