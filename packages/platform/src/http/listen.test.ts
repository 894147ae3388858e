import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect, createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createLifetime, type LifetimeControl } from '../runtime/lifetime.ts'
import { createHealth } from '../telemetry/health.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { recordLog } from '../telemetry/recorded-log.ts'
import type { HttpApp } from './app-type.ts'
import { createHttpApp } from './http-app.ts'
import { ListenError, type ListenOptions, listen, PortInUseError } from './listen.ts'

const lives: LifetimeControl[] = []
afterEach(async () => {
  await Promise.all(lives.splice(0).map((life) => life.stop('the test ended')))
})

async function set(graceMs = 60_000) {
  const { log } = recordLog()
  const life = createLifetime({ log }, { graceMs, abandonedCloserMs: 10_000 })
  lives.push(life)
  const app = await createHttpApp(
    { log, metrics: createMetrics(), health: createHealth() },
    { title: 'Test', version: '1.2.3', description: 'a test', bodyLimit: 1_000, errors: {} },
  )
  return { life, app, open: (more: Partial<ListenOptions> = {}) => listenOn(app, life, more) }
}

function listenOn(app: HttpApp, life: LifetimeControl, more: Partial<ListenOptions>) {
  const variables = { hostVariable: 'NOTIFICATIONS_HOST', portVariable: 'NOTIFICATIONS_PORT' }
  return listen({ app, life }, { host: '127.0.0.1', port: 0, ...variables, ...more })
}

test('it says where it can be reached, and is reached there', async () => {
  const { open } = await set()
  const { url, port } = await open()
  expect(url).toBe(`http://127.0.0.1:${port}`)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('an idle kept-alive connection does not hold up the end', async () => {
  const { open, life } = await set()
  const { url } = await open()
  const agent = new Agent({ keepAlive: true })
  const [reply] = await once(get(`${url}/healthz`, { agent }), 'response')
  reply.resume()
  await once(reply, 'end')
  const startedAt = performance.now()
  expect(await life.stop('test')).toBe(true)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  agent.destroy()
})

test('a request in hand is finished before the end, and nobody new gets in', async () => {
  const { app, open, life } = await set()
  let finish: () => void = () => {}
  let begun: () => void = () => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  app.get('/slow', async () => {
    begun()
    await new Promise<void>((resolve) => (finish = resolve))
    return 'done'
  })
  const { url } = await open()
  const slow = fetch(`${url}/slow`)
  await beginning
  const stopped = life.stop('test')
  await expect(until(() => fetch(`${url}/healthz`))).rejects.toThrow()
  finish()
  expect(await (await slow).text()).toBe('done')
  expect(await stopped).toBe(true)
})

/** The listening socket closes a moment after the stop was asked for. */
async function until(request: () => Promise<Response>): Promise<void> {
  for (let n = 0; n < 1_000; n += 1) await request()
}

test('at the deadline a request that hangs is cut off', async () => {
  const { app, open, life } = await set(50)
  let begun: () => void = () => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  app.get('/hangs', () => {
    begun()
    return new Promise(() => {})
  })
  const { url } = await open()
  const hanging = fetch(`${url}/hangs`).catch((error: unknown) => error)
  await beginning
  expect(await life.stop('test')).toBe(false)
  expect(await hanging).toBeInstanceOf(Error)
})

test('a port in use is an error that names the variable to set', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const { open } = await set()
  const failed = open({ port })
  await expect(failed).rejects.toThrow(PortInUseError)
  await expect(failed).rejects.toThrow(`port ${port} is in use: set NOTIFICATIONS_PORT`)
  taken.close()
})

test('an address that is not ours is an error that names the variables', async () => {
  const { open } = await set()
  const failed = open({ host: '192.0.2.1' })
  await expect(failed).rejects.toThrow(ListenError)
  await expect(failed).rejects.toThrow(/192\.0\.2\.1.*NOTIFICATIONS_HOST/)
})

test('what is no HTTP is answered in the one form', async () => {
  const { open } = await set()
  const { port } = await open()
  const socket = connect(port, '127.0.0.1')
  socket.end('this is no http\r\n\r\n')
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1.1 400 Bad Request/)
  expect(JSON.parse(body)).toMatchObject({
    status: '400 Bad Request',
    traceback: '',
    version: '1.2.3',
  })
})
