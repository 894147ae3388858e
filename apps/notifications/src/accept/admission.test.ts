/** Over real sockets: bodies that wait are not read, and nobody is turned away. */
import { EventEmitter, once } from 'node:events'
import { createServer, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
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
      admitting.admit({ headers, raw: incoming }, { raw: response } as FastifyReply, enter),
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
  return { begun, slow, post, port }
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

test('requests sent one behind the other give their places back when their connection is lost', async () => {
  const admitting = admission({ maxBody: MiB })
  const { slow, post, port } = await serve(admitting)
  const sender = connect(port, '127.0.0.1')
  const head = `POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: ${MiB}\r\n\r\n`
  for (let n = 0; n < 4; n += 1) sender.write(Buffer.concat([Buffer.from(head), Buffer.alloc(MiB)]))
  await expect.poll(() => slow.length, { timeout: 60_000 }).toBe(4)
  sender.destroy()
  const others = Array.from({ length: 4 }, () => post('/slow', MiB))
  await expect.poll(() => slow.length, { timeout: 60_000 }).toBe(8)
  for (const { hangUp } of others) hangUp()
})

test('a sender that hangs up at the very moment when there is room for it keeps no place', async () => {
  const admitting = admission({ maxBody: MiB })
  const headers = { 'content-length': `${MiB}` }
  const one = () => {
    const [response, socket] = [new EventEmitter(), new EventEmitter()]
    const entered = new Promise<void>((enter) => {
      const incoming = { headers, raw: { socket: socket as Socket } }
      admitting.admit(incoming, { raw: response as ServerResponse }, enter)
    })
    return { response, entered }
  }
  const first = Array.from({ length: 4 }, one)
  const waiting = one()
  first[0]?.response.emit('close')
  waiting.response.emit('close')
  await waiting.entered
  await one().entered
  expect(admitting.waiting).toBe(0)
})
