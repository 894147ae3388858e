/**
 * The floor of accepting: what is left of POST /receive when it is only Fastify and a group insert. It parses the event,
 * fills the same columns of the same table with one statement for all that came meanwhile, through the same way to the
 * database, and answers after the commit. It checks nothing, logs and counts nothing, and loses what it cannot insert.
 * `node test/harness/run-typescript.mjs bench/floors/accept.ts DATABASE_URL PORT`
 */
import { createHash, randomUUID } from 'node:crypto'
import { createLog, newTrace, openDatabase, textArray } from '@pacifica/platform'
import { fastify } from 'fastify'

const [url = '', port = ''] = process.argv.slice(3)
const log = createLog({ name: 'floor', level: 'warn' })
const database = await openDatabase({ log }, { url, folder: 'none' })

const INSERT = `
  INSERT INTO eventlog (uuid, jsondata, spec_version, source, event_id, event_type, event_time, digest, trace)
  SELECT * FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[])
  ON CONFLICT (digest) DO NOTHING`

interface Waiting {
  readonly row: readonly string[]
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

let waiting: Waiting[] = []
let inserting = 0

/** Two at a time, each with all that came while it had to wait, as the service does it. */
async function insert(): Promise<void> {
  if (inserting === 2 || waiting.length === 0) return
  inserting += 1
  const group = waiting
  waiting = []
  const columns = Array.from({ length: 9 }, (_, n) =>
    textArray(group.map(({ row }) => row[n] ?? null)),
  )
  await database.query(INSERT, columns, 'prepared').then(
    () => {
      for (const { done } of group) done()
    },
    (error) => {
      for (const { failed } of group) failed(error)
    },
  )
  inserting -= 1
  setImmediate(insert)
}

function rowOf(text: string): readonly string[] {
  const event = JSON.parse(text)
  const digest = createHash('sha256').update(text).digest('hex')
  const trace = newTrace()
  const { source, eventID, eventType, eventTime } = event
  return [randomUUID(), text, '0.1', source, eventID, eventType, eventTime, digest, trace]
}

const app = fastify()
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
app.get('/readyz', () => 'ok')
app.post('/receive', async (request, reply) => {
  const row = rowOf(request.body as string)
  await new Promise<void>((done, failed) => {
    waiting.push({ row, done, failed })
    setImmediate(insert)
  })
  return reply.type('text/plain').send(row[0])
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
