import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { freePort, takePort } from './free-port.ts'
import { linesOf, spawnTypeScript } from './typescript-process.ts'

const other = spawnTypeScript(new URL('./take-a-port.ts', import.meta.url))
const ended = once(other, 'exit')
afterAll(async () => {
  other.kill('SIGKILL')
  await ended
})

test('a port is given once: not again here, and not in another process until the first is dead', async () => {
  const mine = await freePort()
  expect(await takePort(mine)).toBe(false)
  const { value: line } = await linesOf(other).next()
  const theirs = Number(line)
  expect(theirs).toBeGreaterThan(1024)
  expect(await takePort(theirs)).toBe(false)
  other.kill('SIGKILL')
  await ended
  expect(await takePort(theirs)).toBe(true)
})

test('a port at which somebody listens who never asked is not given', async () => {
  const somebody = createServer().listen(0, '127.0.0.1')
  await once(somebody, 'listening')
  const { port } = somebody.address() as { port: number }
  expect(await takePort(port)).toBe(false)
  somebody.close()
  await once(somebody, 'close')
})
