import { expect, test } from 'vitest'
import { recordLog } from '../telemetry/recorded-log.ts'
import { createInProcessTransport } from './in-process.ts'
import { taskEventsContract } from './task-events.contract.ts'
import { transportContract } from './transport.contract.ts'
import type { DispatchMessage, Transport } from './transport.ts'

const opened = async () => {
  const transport = open()
  return { transport, other: transport, close: () => transport.close() }
}
transportContract('in process', opened)
taskEventsContract('in process', opened)

function open(): Transport {
  const again = { firstMs: 2, maxMs: 5 }
  return createInProcessTransport({ log: recordLog().log }, { again })
}

const message: DispatchMessage = {
  deliveryId: 'ad4f2a4e-5d0c-4b2e-9d2a-0f3f4d8f8c11',
  replay: 0,
  digest: 'ab',
  body: '{}',
}
const LONG_MS = 600_000
const forever = () => new Promise<void>(() => {})

test('publish resolves only when the consumer has acknowledged', async () => {
  const transport = open()
  let acknowledge: () => void = () => {}
  await transport.consume('x', () => new Promise((resolve) => (acknowledge = resolve)))
  let resolved = false
  const published = transport.publish('x', message, { timeoutMs: LONG_MS }).then((outcome) => {
    resolved = true
    return outcome
  })
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(resolved).toBe(false)
  acknowledge()
  expect(await published).toEqual({ kind: 'accepted' })
  await transport.close()
})

test('a consumer that goes on rejecting until the timeout has refused, with its reason', async () => {
  const transport = open()
  let offers = 0
  await transport.consume('x', async () => {
    offers += 1
    throw new Error('the disk is full')
  })
  const outcome = await transport.publish('x', message, { timeoutMs: 500 })
  expect(outcome).toEqual({ kind: 'refused', reason: 'its consumer refused it: the disk is full' })
  expect(offers).toBeGreaterThan(2)
  await transport.close()
})

test('a consumer that has not answered at the timeout, or when given up, leaves it unknown', async () => {
  const transport = open()
  await transport.consume('x', forever)
  const late = await transport.publish('x', message, { timeoutMs: 10 })
  expect(late).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('10 ms') })
  const stop = new AbortController()
  const given = transport.publish('x', message, { timeoutMs: LONG_MS, signal: stop.signal })
  setTimeout(() => stop.abort(), 5)
  expect(await given).toMatchObject({ kind: 'unknown' })
})

test('a consumer that throws before its first await rejects too', async () => {
  const transport = open()
  await transport.consume('x', () => {
    throw new Error('at once')
  })
  const outcome = await transport.publish('x', message, { timeoutMs: 20 })
  expect(outcome).toMatchObject({ kind: 'refused' })
})

test('when the last consumer stops while a message waits to be offered again, it is unroutable', async () => {
  const transport = open()
  const consumer = await transport.consume('x', () => Promise.reject(new Error('no')))
  const published = transport.publish('x', message, { timeoutMs: LONG_MS })
  await consumer.stop()
  expect(await published).toMatchObject({ kind: 'unroutable' })
})

test('what one consumer rejects the next one may accept', async () => {
  const transport = open()
  await transport.consume('x', () => Promise.reject(new Error('no')))
  await transport.consume('x', () => Promise.resolve())
  expect(await transport.publish('x', message, { timeoutMs: LONG_MS })).toEqual({
    kind: 'accepted',
  })
})

test('close waits for what is in hand, and lets go of those who wait', async () => {
  const transport = open()
  let finish: () => void = () => {}
  let begun: () => void = () => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  await transport.consume('x', () => {
    begun()
    return new Promise((resolve) => (finish = resolve))
  })
  const published = transport.publish('x', message, { timeoutMs: LONG_MS })
  await beginning
  let closed = false
  const closing = transport.close().then(() => {
    closed = true
  })
  expect(await published).toMatchObject({ kind: 'unknown' })
  expect(closed).toBe(false)
  finish()
  await closing
})

test('a task event is published when its consumer has acknowledged it', async () => {
  const transport = open()
  let acknowledge: () => void = () => {}
  let begun: () => void = () => {}
  const beginning = new Promise<void>((resolve) => {
    begun = resolve
  })
  await transport.taskEvents.consume(() => {
    begun()
    return new Promise((resolve) => (acknowledge = resolve))
  })
  let resolved = false
  const event = { id: '1', state: 'done', body: '{}' }
  const published = transport.taskEvents.publish(event, { timeoutMs: LONG_MS }).then((outcome) => {
    resolved = true
    return outcome
  })
  await beginning
  await new Promise((resolve) => setImmediate(resolve))
  expect(resolved).toBe(false)
  acknowledge()
  expect(await published).toEqual({ kind: 'accepted' })
  await transport.close()
})
