/** The trace context from POST /receive to whoever an event is delivered to. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEgress, createInProcessTransport, type DispatchMessage } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog as log } from '../../../../test/harness/index.ts'
import { openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import { quietWorker } from '../../../../test/harness/worker.ts'
import type { ClaimedDelivery } from './claim.ts'
import { dispatchTarget } from './dispatch-target.ts'
import { httpTarget } from './http-target.ts'
import type { Target } from './target.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SENDER = 'b7ad6b7169203331'
const PART_OF_IT = /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/
const timeoutMs = 60_000

let scene: Scene
beforeAll(async () => {
  scene = await openScene('postgresql')
}, 300_000)
afterAll(() => scene?.close())

/** A delivery of an event that came with that `traceparent`. */
async function claimed(type: string, headers: Record<string, string>): Promise<ClaimedDelivery> {
  await scene.subscribe(type, 'ann')
  const payload = scene.anEvent(type).text
  const answer = await scene.app.inject({
    method: 'POST',
    url: '/receive',
    headers: { 'content-type': 'application/json', ...headers },
    payload,
  })
  expect(answer.statusCode).toBe(200)
  await scene.match()
  await scene.answer(YES)
  const delivery = (await scene.claim()).find(({ event }) => event === answer.body)
  if (delivery === undefined) throw new Error('nothing was claimed')
  return delivery
}

/** Sends it to the target. */
async function attempt(delivery: ClaimedDelivery, target: Target): Promise<void> {
  expect(await quietWorker([delivery], { targetFor: () => target }).run()).toEqual([])
}

test('a target is sent the trace that the event came with, each attempt under an id of its own', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(String(request.headers['traceparent']))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const options = { allow: ['127.0.0.0/8'], deny: [], userAgent: 'test' }
  const egress = createEgress({ log }, options)
  const secrets = { openAuth: () => ({}), openSigning: () => '' }
  const http = httpTarget({ egress, secrets, now: Date.now }, { timeoutMs })
  const delivery = await claimed('traced', { traceparent: `00-${TRACE}-${SENDER}-01` })
  const targetUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  for (const _twice of [1, 2]) await attempt({ ...delivery, targetUrl }, http)
  expect(seen).toEqual([expect.stringMatching(PART_OF_IT), expect.stringMatching(PART_OF_IT)])
  expect(new Set(seen).size).toBe(2)
  await egress.close()
  server.close()
})

test('so is a dispatcher', async () => {
  const transport = createInProcessTransport({ log })
  const seen: DispatchMessage[] = []
  await transport.consume('shouting', async (message) => {
    seen.push(message)
  })
  const delivery = await claimed('dispatched', { traceparent: `00-${TRACE}-${SENDER}-01` })
  const target = dispatchTarget({ transport }, { timeoutMs })
  await attempt({ ...delivery, targetUrl: 'dispatch://shouting' }, target)
  expect(seen[0]?.traceparent).toMatch(PART_OF_IT)
  await transport.close()
})

test.each([
  ['without one', {}],
  ['with one that is none', { traceparent: `00-${'0'.repeat(32)}-${SENDER}-01` }],
])('an event that comes %s begins a trace, which stays the same', async (name, headers) => {
  const delivery = await claimed(name, headers)
  const begun = /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/.exec(delivery.trace ?? '')
  expect(begun?.[1]).not.toBe('0'.repeat(32))
  const [row] = await scene.sql.query<{ trace: string }>(
    'SELECT trace FROM eventlog WHERE uuid = $1',
    [delivery.event],
  )
  expect(row?.trace).toBe(delivery.trace)
})
