/**
 * The floor under the pipeline, in a process of its own: a bare HTTP server, the same group insert as ours, and a loop that
 * posts each event to Policy and then to its target over undici, so many at once. Nothing of what it does survives a
 * crash but the events. Prints its URL. Arguments: the database, Policy and targets, how many events at once.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Event } from '@pacifica/core'
import { batcher, createLog, openDatabase } from '@pacifica/platform'
import { Agent } from 'undici'
import { eventStore } from '../../apps/notifications/src/accept/event-store.ts'
import { ACCEPT } from '../../apps/notifications/src/config.ts'
import { ownerOf, placeOf, targetOf } from '../pipeline/load.ts'

const [url = '', port = '', concurrency = ''] = process.argv.slice(3)
const log = createLog({ name: 'floor', level: 'warn' })
const store = eventStore({ sql: await openDatabase({ log }, { url, folder: 'none' }) })
const agent = new Agent()
const todo: Event[] = []
let inHand = 0

const group = batcher<Event, { uuid: string }>((events) => store.insert(events), {
  maxItems: ACCEPT.maxEvents,
  waitMs: ACCEPT.waitMs,
  concurrency: 2,
})

async function post(origin: string, path: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await agent.request({ origin, path, method: 'POST', headers, body })
  await answer.body.dump()
}

async function deliver(event: Event): Promise<void> {
  const place = placeOf(event.type)
  await post(
    `http://127.0.0.1:${port}`,
    `/events/${encodeURIComponent(ownerOf(place))}`,
    event.text,
  )
  const target = new URL(targetOf(place, Number(port)))
  await post(target.origin, target.pathname, event.text)
}

function start(): void {
  while (inHand < Number(concurrency)) {
    const event = todo.shift()
    if (event === undefined) return
    inHand += 1
    void deliver(event).finally(() => {
      inHand -= 1
      start()
    })
  }
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', async () => {
    const event = Event.parse(Buffer.concat(pieces))
    const { uuid } = await group.add(event)
    response.end(uuid)
    todo.push(event)
    start()
  })
})
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
