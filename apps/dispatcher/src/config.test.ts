import { ConfigError, readConfig } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { dispatcherSettings } from './config.ts'

const read = (env: Record<string, string>) => readConfig(dispatcherSettings, { env })

test('without any setting the dispatcher is the example, embedded, on loopback', () => {
  expect(read({})).toMatchObject({
    host: '127.0.0.1',
    port: 8069,
    dataDir: './.pacifica',
    databaseUrl: undefined,
    name: undefined,
    module: '@pacifica/example-uppercase',
    cartdUrl: undefined,
    concurrency: 2,
    leaseMs: 60_000,
    maxBody: 32 * 2 ** 20,
  })
})

test('folders are taken as file URLs', () => {
  const { cartdUrl, ingestUrl } = read({ CARTD_URL: 'file:///in', INGEST_URL: 'file:///out' })
  expect([cartdUrl?.pathname, ingestUrl?.pathname]).toEqual(['/in', '/out'])
})

test('what this version cannot do, and names that nobody could call, end the start together', () => {
  const env = {
    CARTD_URL: 'http://joe:secret@cartd:8081',
    INGEST_URL: 'file://host/out',
    DISPATCHER_NAME: 'No Name',
  }
  const message = messageOf(() => read(env))
  expect(message.split('\n').map((line) => line.split(':')[0])).toEqual([
    'DISPATCHER_NAME',
    'CARTD_URL',
    'INGEST_URL',
  ])
  expect(message).toContain('files are taken from a folder, file:///path')
  expect(message).not.toContain('secret')
})

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
  }
  throw new Error('no ConfigError')
}
