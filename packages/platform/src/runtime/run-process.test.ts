import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { ConfigError } from '../config/config-error.ts'
import { recordLog } from '../telemetry/recorded-log.ts'
import type { Lifetime } from './lifetime.ts'
import { type ProcessLike, runProcess } from './run-process.ts'

/** A process whose signals the test sends, and whose end it sees. */
function host() {
  const events = new EventEmitter()
  const said: string[] = []
  let exited: (code: number) => void = () => {}
  const code = new Promise<number>((resolve) => {
    exited = resolve
  })
  const exit = (status: number) => exited(status)
  const stderr = { write: (text: string) => said.push(text) }
  const process = Object.assign(events, { exit, stderr }) as unknown as ProcessLike
  return {
    process,
    code,
    said,
    send: (event: string, value: unknown = event) => events.emit(event, value),
    events,
  }
}

function run(start: (life: Lifetime) => Promise<void>, options: { graceMs?: number } = {}) {
  const { log, lines, text } = recordLog()
  const world = host()
  const done = runProcess({ log }, start, { ...options, process: world.process })
  return { ...world, lines, text, done }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

test.each(['SIGTERM', 'SIGINT'])('%s closes everything and the exit code is 0', async (signal) => {
  const closed: string[] = []
  const { send, code, done, events } = run(async (life) => {
    life.onClose('database', () => closed.push('database'))
    life.onClose('http', () => closed.push('http'))
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  send(signal)
  expect(await code).toBe(0)
  await done
  expect(closed).toEqual(['http', 'database'])
  expect(events.eventNames()).toEqual([])
})

test('a second signal abandons what is in hand and the exit code is 1', async () => {
  const { send, code } = run(async (life) => {
    life.onClose(
      'handler',
      () => new Promise((end) => life.abandoning.addEventListener('abort', end)),
    )
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  send('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 5))
  send('SIGTERM')
  expect(await code).toBe(1)
})

test('a third signal exits at once', async () => {
  const { send, code } = run(async (life) => {
    life.onClose('handler', () => new Promise(() => {}))
  })
  await new Promise((resolve) => setTimeout(resolve, 5))
  send('SIGINT')
  send('SIGINT')
  send('SIGINT')
  expect(await code).toBe(1)
})

test('work that is not finished at the deadline makes the exit code 1', async () => {
  const { send, code } = run(
    async (life) => {
      life.onClose(
        'handler',
        () => new Promise((end) => life.abandoning.addEventListener('abort', end)),
      )
    },
    { graceMs: 20 },
  )
  await new Promise((resolve) => setTimeout(resolve, 5))
  send('SIGTERM')
  expect(await code).toBe(1)
})

test.each(['uncaughtException', 'unhandledRejection'])(
  'after %s it closes, logs and exits with 1',
  async (event) => {
    let closed = false
    const { send, code, lines } = run(async (life) => {
      life.onClose('database', () => {
        closed = true
      })
    })
    await new Promise((resolve) => setTimeout(resolve, 5))
    send(event, new TypeError('a bug'))
    expect(await code).toBe(1)
    expect(closed).toBe(true)
    const fatal = lines().find((line) => line.level === 'fatal')
    expect(fatal).toMatchObject({ msg: 'process.uncaught', err: { message: 'a bug' } })
  },
)

test('a start that fails for a reason people can mend closes what was opened and says one line', async () => {
  let closed = false
  const { code, said, text } = run(async (life) => {
    life.onClose('database', () => {
      closed = true
    })
    const message = 'expected a port from 0 to 65535'
    throw new ConfigError([{ name: 'NOTIFICATIONS_PORT', message }])
  })
  expect(await code).toBe(1)
  expect(closed).toBe(true)
  expect(said).toEqual(['NOTIFICATIONS_PORT: expected a port from 0 to 65535\n'])
  expect(text()).not.toContain('stack')
})

test('no password is in that line', async () => {
  const { code, said } = run(async () => {
    throw Object.assign(new Error('cannot reach amqp://u:hunter2@mq'), { code: 'BROKER_AWAY' })
  })
  await code
  expect(said).toEqual(['cannot reach amqp://***@mq\n'])
})

test('a bug in the start is logged with its stack', async () => {
  const { code, said, lines } = run(async () => {
    throw new TypeError('undefined is not a function')
  })
  expect(await code).toBe(1)
  expect(said).toEqual([])
  const fatal = lines().find((line) => line.msg === 'process.start_failed')
  expect(fatal).toMatchObject({ level: 'fatal', err: { type: 'TypeError' } })
  expect(JSON.stringify(fatal)).toContain('stack')
})

test('a signal during the start waits for its end, closes what it opened, and exits with 0', async () => {
  let closed = false
  let goOn: () => void = () => {}
  let begun = false
  const { send, code } = run(async (life) => {
    await new Promise<void>((resolve) => {
      goOn = resolve
      begun = true
    })
    life.onClose('http', () => {
      closed = true
    })
  })
  await until(() => begun)
  send('SIGTERM')
  goOn()
  expect(await code).toBe(0)
  expect(closed).toBe(true)
})
