import { expect, test } from 'vitest'
import { isUnavailable, sqlState } from './unavailable.ts'

const error = (members: object, message = 'x') => Object.assign(new Error(message), members)

test.each([
  error({ code: 'ECONNREFUSED' }),
  error({ code: 'ENOENT', syscall: 'connect' }),
  error({ code: '57P03' }, 'the database system is starting up'),
  error({ code: '25P03' }, 'terminating connection due to idle-in-transaction timeout'),
  error({ code: '53300' }, 'sorry, too many clients already'),
  error({ code: '53100' }, 'could not extend file: No space left on device'),
  error({}, 'Connection terminated unexpectedly'),
  error({}, 'timeout exceeded when trying to connect'),
  error({ code: 'P1001' }),
  error({ code: 'P2010', meta: { driverAdapterError: { cause: { kind: 'ConnectionClosed' } } } }),
  new Error('wrapped', { cause: error({ code: '08006' }) }),
])('$message $code means that the database is away', (reason) => {
  expect(isUnavailable(reason)).toBe(true)
})

test.each([
  error({ code: '23505' }),
  error({ code: '22P02' }),
  error({ code: '40001' }),
  error({ code: '57014' }, 'canceling statement due to statement timeout'),
  error({ code: 'P2002', meta: { driverAdapterError: { cause: { originalCode: '23505' } } } }),
  error({ code: 'ENOENT', syscall: 'open' }),
  error({ code: '22000' }, 'invalid: connection terminated'),
  new TypeError('x is not a function'),
  undefined,
  'connection terminated',
])('%s does not', (reason) => {
  expect(isUnavailable(reason)).toBe(false)
})

test('the SQLSTATE is found through wrappers, and other codes are not taken for one', () => {
  expect(sqlState(error({ code: '23505' }))).toBe('23505')
  expect(
    sqlState(
      error({ code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '22P02' } } } }),
    ),
  ).toBe('22P02')
  expect(sqlState(new Error('wrapped', { cause: error({ code: 'P0001' }) }))).toBe('P0001')
  expect(sqlState(error({ code: 'EPIPE' }))).toBeUndefined()
  expect(sqlState(error({ code: 'P2002' }))).toBeUndefined()
})
