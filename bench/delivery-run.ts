/**
 * One run of the pipeline for the benchmarks beside this file: a database of its own with so many subscriptions, events
 * put there all at once, the built service (match and deliver) as a process, a target that answers or never does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Database, migrate, openDatabase } from '@pacifica/platform'
import { freePort, type Postgres, startService } from '../test/harness/index.ts'

const ROOT = join(import.meta.dirname, '..')

export interface RunOptions {
  readonly subscriptions: number
  readonly events: number
  /** Deliveries that are due to one more subscription, whose target never answers. */
  readonly hanging?: number
  /** How long the target takes to answer, in milliseconds. Default 0. */
  readonly targetMs?: number
}

export interface Target {
  readonly url: string
  /** Resolves when so many requests were answered since the last call; to how long that took, in seconds. */
  answered(count: number): Promise<number>
  close(): void
}

/** `/hang` never answers; everything else does. */
export async function startTarget(answerMs = 0): Promise<Target> {
  let [seen, wanted, began] = [0, Number.POSITIVE_INFINITY, 0]
  let done: (seconds: number) => void = () => {}
  const count = () => {
    seen += 1
    if (seen === 1) began = performance.now()
    if (seen === wanted) done((performance.now() - began) / 1000)
  }
  const server = createServer((request, response) => {
    if (request.url === '/hang') return
    request.resume().on('end', () => {
      const answer = () => {
        response.end('ok')
        count()
      }
      if (answerMs > 0) setTimeout(answer, answerMs)
      else answer()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered(expected) {
      seen = 0
      wanted = expected
      return new Promise((resolve) => {
        done = resolve
      })
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const SUBSCRIBE = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  SELECT gen_random_uuid(), 'n' || n, '$[?(@.eventType = "t' || n || '")]', 'user ' || n % 100,
    $2 || '/' || n, 1 FROM generate_series(0, $1::int - 1) n`

const HANGING = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  VALUES (md5('hang')::uuid, 'hanging', '$.nothing', 'unlucky', $1 || '/hang', 1)`

const BACKLOG = [
  `INSERT INTO eventlog (uuid, jsondata, digest, state, match_due)
   SELECT md5('h' || n)::uuid, '{"cloudEventsVersion":"0.1","eventType":"h","source":"/h","eventID":"' || n || '"}',
     'h' || n, 'matched', NULL FROM generate_series(1, $1::int) n`,
  `INSERT INTO policy_answer (event, owner, state, answered, due)
   SELECT md5('h' || n)::uuid, 'unlucky', 'allowed', now() + interval '1 day', NULL FROM generate_series(1, $1::int) n`,
  `INSERT INTO delivery (event, subscription, owner, state, due)
   SELECT md5('h' || n)::uuid, md5('hang')::uuid, 'unlucky', 'pending', now() - interval '1 hour'
   FROM generate_series(1, $1::int) n`,
]

const EVENTS = `
  INSERT INTO eventlog (uuid, jsondata, digest)
  SELECT gen_random_uuid(), '{"cloudEventsVersion":"0.1","eventType":"t' || n % $2::int
    || '","source":"/bench","eventID":"' || n || '","data":"' || repeat('x', 1400) || '"}', 'e' || n
  FROM generate_series(1, $1::int) n`

export interface Rate {
  /** From the first delivery that arrives to the last. */
  readonly perSecond: number
  /** Of a processor, for each delivery: what others do on the machine matters less to these. */
  readonly serviceMs: number
  readonly databaseMs: number
}

export async function run(postgres: Postgres, target: Target, options: RunOptions): Promise<Rate> {
  const { url, name, drop } = await postgres.createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const log = createLog({ name: 'bench', level: 'warn' })
  const database = await openDatabase({ log }, { url, folder: join(folder, 'none') })
  await migrate(database, join(ROOT, 'prisma/notifications/migrations'))
  await database.query(SUBSCRIBE, [options.subscriptions, target.url])
  await fillBacklog(database, target, options.hanging ?? 0)
  await database.query('VACUUM ANALYZE')
  const port = await freePort()
  const service = startService('apps/notifications/dist/main.js', {
    ...{ DATABASE_URL: url, DATA_DIR: folder, LOG_LEVEL: 'warn', POLICY_URL: 'allow-all' },
    ...{ NOTIFICATIONS_PORT: String(port), TARGET_ALLOW: '127.0.0.1/32' },
  })
  try {
    await service.ready([`http://127.0.0.1:${port}`])
    const answered = target.answered(options.events)
    await database.query(EVENTS, [options.events, options.subscriptions])
    await database.query(`SELECT pg_notify('pacifica_match', 'bench')`)
    const before = cpuOf(service.pid, name)
    const perSecond = options.events / (await answered)
    const after = cpuOf(service.pid, name)
    return {
      perSecond,
      serviceMs: (after.service - before.service) / options.events,
      databaseMs: (after.database - before.database) / options.events,
    }
  } finally {
    await service.kill('SIGKILL')
    await database.close()
    await drop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Milliseconds of a process and of the database's sessions, so far (Linux; elsewhere 0). */
function cpuOf(pid: number, database: string): { service: number; database: number } {
  try {
    const sessions = readdirSync('/proc').filter(
      (entry) => /^\d+$/.test(entry) && commandOf(entry).includes(` ${database} `),
    )
    const sum = sessions.reduce((ms, session) => ms + cpuMs(session), 0)
    return { service: cpuMs(String(pid)), database: sum }
  } catch {
    return { service: 0, database: 0 }
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // it has ended meanwhile
  }
}

const TICK_MS = 10

function cpuMs(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

async function fillBacklog(database: Database, target: Target, count: number): Promise<void> {
  if (count === 0) return
  await database.query(HANGING, [target.url])
  for (const statement of BACKLOG) await database.query(statement, [count])
}
