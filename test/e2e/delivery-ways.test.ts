/** Ways to targets that an operator sets: an authority of the site's own, an outbound proxy. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { authority } from '../harness/index.ts'
import { QUICK, type Site, startSite } from '../pacifica/site.ts'

let folder: string
let site: Site | undefined
let server: Server & { closeAllConnections(): void }
let asked: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'delivery-ways-'))
  asked = []
})
afterEach(async () => {
  await site?.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const note: RequestListener = (request, response) => {
  asked.push(request.url ?? '')
  request.resume().on('end', () => response.end('thanks'))
}

async function listening(made: typeof server): Promise<number> {
  server = made
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('a target whose certificate the site’s own authority has signed is reached with TARGET_CA', async () => {
  const ours = authority('Site Authority')
  const port = await listening(createTlsServer(ours.certificateFor('localhost'), note))
  const target_url = `https://localhost:${port}/hook`
  await writeFile(join(folder, 'ca.pem'), ours.pem)
  site = await startSite({ TARGET_CA: join(folder, 'ca.pem'), TARGET_ALLOW: '127.0.0.0/8,::1/128' })
  const subscription = await site.subscribe('signed', '', { target_url, ...QUICK })
  await site.post('signed')
  await site.settled(subscription, 'delivered')
  expect(asked).toContain('/hook')
})

test('without it that certificate is not accepted, and the attempt says so', async () => {
  const ours = authority('Site Authority')
  const port = await listening(createTlsServer(ours.certificateFor('localhost'), note))
  const target_url = `https://localhost:${port}/hook`
  site = await startSite({ TARGET_ALLOW: '127.0.0.0/8,::1/128' })
  const subscription = await site.subscribe('unsigned', '', { target_url })
  await site.post('unsigned')
  const { attempts } = await site.settled(subscription, 'retrying')
  expect(attempts[0]?.error).toContain('certificate')
  expect(asked).toEqual([])
})

test('with TARGET_PROXY a target is asked of the proxy, by its name', async () => {
  const port = await listening(createServer(note))
  site = await startSite({ TARGET_PROXY: `http://127.0.0.1:${port}` })
  const target_url = 'http://hooks.example.org/pacifica'
  const subscription = await site.subscribe('proxied', '', { target_url, ...QUICK })
  await site.post('proxied')
  await site.settled(subscription, 'delivered')
  expect(asked).toEqual([target_url])
})
