/**
 * What was on its way when something broke: the deliveries that the database shows as `delivering` right after a worker
 * was killed or frozen, or when the database was back.
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
  /** The ids of the deliveries, and the claims that they were held under. */
  readonly inFlight: ReadonlyMap<string, string>
  /** Requests that the targets had and had not answered. */
  readonly atTargets: number
}

const IN_FLIGHT = `
  SELECT d.uuid, d.claim FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription
  WHERE d.state = 'delivering' AND m.target_url LIKE 'http%'`

export async function cutNow(what: string, databaseUrl: string, targets: Receiver): Promise<Cut> {
  const atTargets = targets.open
  let inFlight: [string, string][] = []
  await waitUntil('the database answers', async () => {
    const rows = await query<{ uuid: string; claim: string }>(databaseUrl, IN_FLIGHT)
    inFlight = rows.map(({ uuid, claim }) => [uuid, claim])
    return true
  })
  return { what, inFlight: new Map(inFlight), atTargets }
}

const STILL_HELD = `
  SELECT count(*)::int AS n FROM delivery d
  JOIN unnest($1::uuid[], $2::bigint[]) AS cut (uuid, claim) ON cut.uuid = d.uuid AND cut.claim = d.claim
  WHERE d.state = 'delivering' AND d.due > now()`

/** Whether everything that was in flight is recorded, or was claimed by somebody else, or can be. */
export async function isTakenOver({ inFlight }: Cut, databaseUrl: string): Promise<boolean> {
  const values = [[...inFlight.keys()], [...inFlight.values()]]
  const [row] = await query<{ n: number }>(databaseUrl, STILL_HELD, values)
  return row?.n === 0
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
