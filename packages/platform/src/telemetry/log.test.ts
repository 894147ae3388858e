import { expect, test } from 'vitest'
import { recordLog } from './recorded-log.ts'

test('a line has time, level by name, the name of the process, its members and its message', () => {
  const { log, lines } = recordLog()
  log.info({ event: 'metadata.ingest.67', ms: 3 }, 'event.accepted')
  const [line] = lines()
  expect(line).toMatchObject({ level: 'info', name: 'test', event: 'metadata.ingest.67', ms: 3 })
  expect(line?.msg).toBe('event.accepted')
  expect(new Date(String(line?.time)).getTime()).toBeGreaterThan(Date.now() - 60_000)
})

test('secret members are masked at every depth, in children and in arrays, in any case', () => {
  const { log, text } = recordLog()
  log.info({ authorization: 'hunter2', headers: { Authorization: 'Bearer hunter2' } }, 'one')
  log.info({
    a: { b: { c: { auth: { type: 'basic', basic: { username: 'u', password: 'hunter2' } } } } },
  })
  log.info({ list: [{ 'set-cookie': 'hunter2' }, { cookie: 'hunter2' }, { apiKey: 'hunter2' }] })
  log.child({ SECRET_KEY: 'hunter2', credentials: 'hunter2' }).warn({ token: 'hunter2' }, 'child')
  expect(text()).not.toContain('hunter2')
  expect(text()).toContain('***')
})

test('the object that was logged is not changed', () => {
  const { log } = recordLog()
  const subscription = { name: 'one', auth: { basic: { password: 'hunter2' } } }
  log.info({ subscription }, 'subscribed')
  expect(subscription.auth.basic.password).toBe('hunter2')
})

test('counts and flags with a secret-sounding name stay readable', () => {
  const { log, lines } = recordLog()
  log.info({ tokens: 12, hasSecret: true, author: 'Ann', subject: 'x' }, 'x')
  expect(lines()[0]).toMatchObject({ tokens: 12, hasSecret: true, author: 'Ann', subject: 'x' })
})

test('user and password are taken out of URLs in members, messages and stacks', () => {
  const { log, text } = recordLog()
  log.error(
    { url: 'postgres://user:hunter2@db/x?sslmode=off' },
    'cannot reach amqp://u:hunter2@mq:5672/',
  )
  log.error({ err: new Error('connect https://u:hunter2@cartd/ failed') }, 'failed')
  expect(text()).not.toContain('hunter2')
  expect(text()).toContain('postgres://***@db/x?sslmode=off')
  expect(text()).toContain('amqp://***@mq:5672/')
})

test('an @ elsewhere in a URL is no password', () => {
  const { log, lines } = recordLog()
  log.info({ url: 'http://host/path/@scope?mail=a@b.org' }, 'x')
  expect(lines()[0]?.url).toBe('http://host/path/@scope?mail=a@b.org')
})

test('an error keeps its code, its causes and the errors of an aggregate, and nothing that hangs on it', () => {
  const { log, lines, text } = recordLog()
  const refused = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    port: 5432,
  })
  const options = { headers: { 'x-key': 'hunter2' } }
  const failed = Object.assign(new Error('no database', { cause: refused }), { options })
  log.error({ err: failed }, 'failed')
  log.error({ err: new AggregateError([refused], 'all failed') }, 'failed')
  expect(lines()[0]).toMatchObject({
    err: { type: 'Error', message: 'no database', cause: { code: 'ECONNREFUSED', port: 5432 } },
  })
  expect(lines()[1]).toMatchObject({ err: { errors: [{ code: 'ECONNREFUSED' }] } })
  expect(text()).not.toContain('hunter2')
})

test('an error that is its own cause, and what is no error, can be logged', () => {
  const { log, lines } = recordLog()
  const loop = new Error('loop')
  loop.cause = loop
  log.error({ err: loop }, 'x')
  log.error({ err: { password: 'hunter2' } }, 'x')
  log.error({ err: 'a text' }, 'x')
  expect(lines()[0]).toMatchObject({ err: { cause: { cause: { message: 'loop' } } } })
  expect(lines()[2]).toMatchObject({ err: 'thrown: a text' })
})

test('what is too deep or circular is cut, not followed', () => {
  const { log, lines } = recordLog()
  const circle: { name: string; self?: unknown } = { name: 'round' }
  circle.self = circle
  log.info({ circle }, 'x')
  expect(lines()).toHaveLength(1)
})
