/** Policy and target get the bytes that Metadata posted, whichever way they went: at once, or through the spool. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSite, PATIENCE, pause, postOne, type Site } from './spool-site.ts'

let site: Site
let policy: Recorder
let target: Recorder

beforeEach(async () => {
  site = await openSite()
  ;[policy, target] = [await record(), await record()]
}, PATIENCE)
afterEach(async () => {
  await site?.close()
  await Promise.all([policy, target].map((each) => each?.close()))
})

const AWKWARD = (id: string) =>
  ` {"data": [1.0, 1e400, 12345678901234567890, -0, {"z": 1, "a": "caf\\u00e9 é 😀 \\/", "z": 2}], "eventID":"${id}",\r\n\t"source": "/s" ,"eventType":"t","cloudEventsVersion":"0.1" , "extensions": { } }\n`

test(
  'every byte of the event reaches Policy and the target',
  async () => {
    const service = await site.start({ POLICY_URL: policy.url })
    await service.until('/readyz', 200)
    const subscription = { name: 'n', jsonpath: '$.data', target_url: `${target.url}/hook` }
    const subscribed = await fetch(`${service.url}/eventmatch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(subscription),
    })
    expect(subscribed.status).toBe(200)
    const texts = [AWKWARD('at once'), AWKWARD('through the spool')]
    expect((await postOne(service.url, texts[0] ?? '')).status).toBe(200)
    await received(target, 1)
    await site.postgres.halt('hard')
    expect((await postOne(service.url, texts[1] ?? '')).status).toBe(200)
    await site.postgres.resume()
    await received(target, 2)
    expect(policy.bodies).toEqual(texts)
    expect(target.bodies).toEqual(texts)
    expect(policy.paths).toEqual(['/events/ann', '/events/ann'])
  },
  PATIENCE,
)

interface Recorder {
  readonly url: string
  readonly bodies: string[]
  readonly paths: (string | undefined)[]
  close(): Promise<void>
}

async function record(): Promise<Recorder> {
  const bodies: string[] = []
  const paths: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    bodies.push(Buffer.concat(pieces).toString('utf8'))
    paths.push(request.url)
    response.end('{"status": "success"}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ bodies, paths },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function received({ bodies }: Recorder, count: number): Promise<void> {
  const deadline = performance.now() + PATIENCE / 3
  while (bodies.length < count && performance.now() < deadline) await pause(50)
}
