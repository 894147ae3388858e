/**
 * The floor of accepting: what is left of POST /receive when it is only Fastify and a group insert. It parses the event,
 * fills the same columns of the same tables, with the same ids, in the same groups, with one prepared statement each, through
 * the same way to the database, and answers after the commit. It checks nothing, logs and counts nothing, and loses what it
 * cannot insert.
 * `node test/harness/run-typescript.mjs bench/floors/accept.ts DATABASE_URL PORT`
 */
import { hash } from 'node:crypto'
import { batcher, createLog, newTrace, openDatabase, textArray } from '@pacifica/platform'
import { fastify } from 'fastify'
import { newId } from '../../apps/notifications/src/database/new-id.ts'

const [url = '', port = ''] = process.argv.slice(3)
const log = createLog({ name: 'floor', level: 'warn' })
const database = await openDatabase({ log }, { url, folder: 'none' })

const INSERT = `
  WITH fresh AS (
    INSERT INTO eventlog (uuid, spec_version, source, event_id, event_type, event_time, digest, trace, jsondata)
    SELECT * FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::text[])
    ON CONFLICT (digest) DO NOTHING RETURNING uuid)
  INSERT INTO event_state (event) SELECT uuid FROM fresh`

type Cells = readonly string[]

/** As the service has it (`ACCEPT` in its config.ts). */
const group = batcher<Cells, string>(insert, { maxItems: 500, waitMs: 1, concurrency: 2 })

async function insert(rows: Cells[]): Promise<string[]> {
  const columns = Array.from({ length: 9 }, (_, n) => textArray(rows.map((row) => row[n] ?? null)))
  await database.query(INSERT, columns, 'prepared')
  return rows.map(([uuid = '']) => uuid)
}

function rowOf(text: string): readonly string[] {
  const event = JSON.parse(text)
  const digest = hash('sha256', text)
  const trace = newTrace()
  const { source, eventID, eventType, eventTime } = event
  return [newId(), '0.1', source, eventID, eventType, eventTime, digest, trace, text]
}

const app = fastify()
app.removeAllContentTypeParsers()
app.addContentTypeParser(['application/json', '*'], { parseAs: 'string' }, (_request, body, done) =>
  done(null, body),
)
app.get('/readyz', () => 'ok')
app.post('/receive', async (request, reply) => {
  return reply.type('text/plain').send(await group.add(rowOf(request.body as string)))
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
