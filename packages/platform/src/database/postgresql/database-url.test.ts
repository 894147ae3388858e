import { expect, test } from 'vitest'
import { placeOf, serverUrl } from './database-url.ts'

test.each([
  'postgres',
  'postgresql',
  'postgresql+pool',
  'postgresext',
  'postgresqlext',
  'postgresext+pool',
])('%s:// is PostgreSQL', (scheme) => {
  const url = serverUrl(`${scheme}://user:p%40ss@db.example:5433/events`)
  expect(url.href).toBe('postgresql://user:p%40ss@db.example:5433/events')
  expect(placeOf(url)).toBe('db.example:5433/events')
})

test.each([
  'sqlite:///db.sqlite3',
  'sqliteext:///:memory:',
  'mysql://u:hunter2@h/d',
  'mysql+pool://u:hunter2@h/d',
  'redis://h',
])('%s is refused with what to do instead', (text) => {
  expect(() => serverUrl(text)).toThrow(/only PostgreSQL.*Use postgresql:.*embedded in DATA_DIR/)
  expect(() => serverUrl(text)).not.toThrow(/hunter2/)
})

test.each([
  '',
  'hunter2',
  '/var/lib/hunter2',
  'postgres://u:hunter2@h:99999/d',
  'postgresql://u:hunter2@[/d',
])('what is no URL, such as %s, is refused without being shown', (text) => {
  let error: Error | undefined
  try {
    serverUrl(text)
  } catch (thrown) {
    error = thrown as Error
  }
  expect(error).toMatchObject({ code: 'DATABASE_URL' })
  expect(JSON.stringify({ ...error, message: error?.message, cause: error?.cause })).not.toContain(
    'hunter2',
  )
})

test('a socket folder is a place too', () => {
  expect(placeOf(serverUrl('postgresql:///events?host=/run/postgresql'))).toBe(
    '/run/postgresql:5432/events',
  )
})
