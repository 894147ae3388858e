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

test('services are taken as http URLs, with user and password', () => {
  const env = {
    CARTD_URL: 'https://cartd:8081/',
    CARTD_USER: 'joe',
    CARTD_PASSWORD: 'secret',
    INGEST_URL: 'http://ingest:8066',
    INGEST_STATUS_URL: 'http://ingest:8066/get_state',
    INGEST_AUTHED_USER: 'dmlb2001',
  }
  expect(read(env)).toMatchObject({
    cartdUrl: new URL('https://cartd:8081/'),
    cartdUser: 'joe',
    cartdPassword: 'secret',
    ingestUrl: new URL('http://ingest:8066'),
    ingestStatusUrl: new URL('http://ingest:8066/get_state'),
    ingestUser: undefined,
    ingestAuthedUser: 'dmlb2001',
    ingestAuthedUserHeader: 'X-Http-Authed-User',
  })
})

test('URLs that lead nowhere, and names that nobody could call, end the start together', () => {
  const env = {
    CARTD_URL: 'ftp://joe:secret@cartd',
    INGEST_URL: 'file://host/out',
    INGEST_AUTHED_USER_HEADER: 'Authed User',
    DISPATCHER_NAME: 'No Name',
  }
  const message = messageOf(() => read(env))
  expect(message.split('\n').map((line) => line.split(':')[0])).toEqual([
    'DISPATCHER_NAME',
    'CARTD_URL',
    'INGEST_URL',
    'INGEST_AUTHED_USER_HEADER',
  ])
  expect(message).toContain('expected file://… or http://… or https://…')
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
