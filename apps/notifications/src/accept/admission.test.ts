/** Over real sockets: bodies that wait are not read, and nobody is turned away. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyReply } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { type Admission, admission } from './admission.ts'

const MiB = 1024 * 1024
let close = async () => {}
afterEach(() => close())

/** Admits requests, says which began to be read, and answers `/slow` when told to. */
async function serve(admitting: Admission) {
  const begun: string[] = []
  const slow: (() => void)[] = []
  const server = createServer(async (incoming, response) => {
    const { headers, url = '' } = incoming
    await new Promise<void>((enter) =>
      admitting.admit({ headers }, { raw: response } as FastifyReply, enter),
    )
    begun.push(url)
    incoming.resume()
    if (url === '/slow') slow.push(() => response.end())
    else response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  const { port } = server.address() as AddressInfo
  const post = (path: string, length: number) => {
    const sent = request({ port, path, method: 'POST', headers: { 'content-length': length } })
    const answered = new Promise<number>((resolve) => {
      sent.on('response', (answer) => resolve(answer.resume().statusCode ?? 0))
      sent.on('error', () => resolve(0))
    })
    sent.end(Buffer.alloc(length))
    return { answered, hangUp: () => sent.destroy() }
  }
  return { begun, slow, post }
}

test('large bodies wait for those before them, small ones do not wait for large ones', async () => {
  const admitting = admission({ maxBody: MiB })
  const { begun, slow, post } = await serve(admitting)
  const first = Array.from({ length: 4 }, () => post('/slow', MiB))
  await expect.poll(() => slow.length, { timeout: 60_000 }).toBe(4)
  const fifth = post('/fifth', MiB)
  await expect.poll(() => admitting.waiting, { timeout: 60_000 }).toBe(1)
  expect(await post('/small', 10).answered).toBe(200)
  expect(begun).not.toContain('/fifth')
  slow[0]?.()
  expect(await fifth.answered).toBe(200)
  for (const answer of slow) answer()
  expect(await Promise.all(first.map(({ answered }) => answered))).toEqual([200, 200, 200, 200])
})

test('a sender that hangs up gives its place back, whether it waited or not', async () => {
  const admitting = admission({ maxBody: MiB })
  const { slow, post } = await serve(admitting)
  const first = Array.from({ length: 4 }, () => post('/slow', MiB))
  await expect.poll(() => slow.length, { timeout: 60_000 }).toBe(4)
  const impatient = post('/impatient', MiB)
  await expect.poll(() => admitting.waiting, { timeout: 60_000 }).toBe(1)
  impatient.hangUp()
  for (const { hangUp } of first) hangUp()
  const next = Array.from({ length: 8 }, () => post('/next', MiB).answered)
  expect(await Promise.all(next)).toEqual(Array(8).fill(200))
  expect(admitting.waiting).toBe(0)
})
