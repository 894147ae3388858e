import { expect, test } from 'vitest'
import { brokerUrlKind, readBrokerUrl } from './broker-url.ts'

const guest = { username: 'guest', password: 'guest' }
const local = { protocol: 'amqp', hostname: 'localhost', port: 5672, vhost: '/', ...guest }

test.each([
  ['amqp://', local],
  ['amqp://localhost', local],
  ['amqp://localhost/', local],
  ['pyamqp://', local],
  ['pyamqp:///', local],
  ['pyamqp://guest@localhost//', local],
  ['pyamqp://guest:guest@localhost:5672//', local],
  ['AMQP://mq.site', { ...local, hostname: 'mq.site' }],
  ['amqp://mq:5673/pacifica', { ...local, hostname: 'mq', port: 5673, vhost: 'pacifica' }],
  ['amqp://mq/%2Fa%2Fb', { ...local, hostname: 'mq', vhost: '/a/b' }],
  ['amqp://[::1]:5673', { ...local, hostname: '::1', port: 5673 }],
  ['amqp://u%40x:p%2F%23%25@mq', { ...local, hostname: 'mq', username: 'u@x', password: 'p/#%' }],
  ['amqps://mq', { ...local, protocol: 'amqps', hostname: 'mq', port: 5671 }],
  ['pyamqps://mq:443', { ...local, protocol: 'amqps', hostname: 'mq', port: 443 }],
  ['amqp://mq?heartbeat=30', { ...local, hostname: 'mq', heartbeat: 30 }],
])('%s is read', (url, expected) => {
  expect(readBrokerUrl(url)).toMatchObject(expected)
})

test('for people there is the place, without user and password', () => {
  expect(readBrokerUrl('amqp://user:secret@mq/pacifica').place).toBe('mq:5672/pacifica')
  expect(readBrokerUrl('amqps://user:secret@[::1]').place).toBe('[::1]:5671')
})

test.each([
  ['redis://user:secret@mq', /begins with redis: but only RabbitMQ will do/],
  ['http://user:secret@mq', /begins with http:/],
  ['mq:5672', /is no URL/],
  ['', /is no URL/],
  ['amqp://user:sec/ret@mq', /cannot be read/],
  ['amqp://user:12/secret@mq', /has an @ after its host/],
  ['amqp://user:secret#1@mq', /cannot be read|has a #/],
  ['amqp://mq/v#secret', /has a #/],
  ['amqp://user:100%secret@mq', /has a % that begins no escape/],
  ['amqp://user:secret@mq:70000', /cannot be read/],
  ['amqp://user:secret@mq?verify=secret', /has a parameter/],
  ['amqp://user:secret@mq?heartbeat=secret', /has a heartbeat/],
  ['amqp://mq?heartbeat=0', /has a heartbeat/],
])('%s is refused with what to do, and without its secret', (url, problem) => {
  const { advice: said } = { advice: '', ...brokerUrlKind.parse(url) }
  expect(said).toMatch(problem)
  expect(said).toContain('use amqp://HOST:5672/VHOST')
  expect(said).not.toMatch(/secret/)
})

test('in the configuration a URL stays as it was written', () => {
  expect(brokerUrlKind.parse('pyamqp://')).toEqual({ value: 'pyamqp://' })
})
