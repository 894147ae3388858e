/**
 * What was on its way when something broke: the deliveries that the database shows as `delivering` right after a worker
 * was killed, or when the database was back.
 *
 * This is the bound on repeats. A request is lost to the books only when its worker, or the database, was gone between
 * the claim and the record; then the row still says `delivering`, under its lease, which outlives the request by 30 s,
 * so that nobody claims it before we look. A kill can cost one repeat for each of these and no other.
 */
import pg from 'pg'
import type { Receiver } from '../pacifica/receiver.ts'
import { waitUntil } from './wait-until.ts'

export interface Cut {
  readonly what: string
  /** Delivery ids. */
  readonly inFlight: ReadonlySet<string>
  /** Requests that the targets had and had not answered. */
  readonly atTargets: number
}

const IN_FLIGHT = `
  SELECT d.uuid FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription
  WHERE d.state = 'delivering' AND m.target_url LIKE 'http%'`

export async function cutNow(what: string, databaseUrl: string, targets: Receiver): Promise<Cut> {
  const atTargets = targets.open
  let inFlight: string[] = []
  await waitUntil('the database answers', async () => {
    const rows = await query<{ uuid: string }>(databaseUrl, IN_FLIGHT)
    inFlight = rows.map(({ uuid }) => uuid)
    return true
  })
  return { what, inFlight: new Set(inFlight), atTargets }
}

export async function query<R extends object>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {}) // also reported by the statement that it broke
  await client.connect()
  try {
    return (await client.query(text, [...values])).rows as R[]
  } finally {
    await client.end()
  }
}
