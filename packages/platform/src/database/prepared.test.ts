import { expect, test } from 'vitest'
import { preparedStatements } from './prepared.ts'

const error = (code: string, message = '') => Object.assign(new Error(message), { code })
const CHANGED = error('0A000', 'cached plan must not change result type')

test('one text has one name, in every process, which PostgreSQL takes whole', () => {
  const [here, there] = [preparedStatements(true), preparedStatements(true)]
  const name = here.nameOf('SELECT 1')
  expect(here.nameOf('SELECT 1')).toBe(name)
  expect(there.nameOf('SELECT 1')).toBe(name)
  expect(here.nameOf('SELECT 2')).not.toBe(name)
  expect(name?.length).toBeLessThan(64)
})

test('there are no more names than sessions can bear', () => {
  const statements = preparedStatements(true)
  const names = Array.from({ length: 1_000 }, (_, n) => statements.nameOf(`SELECT ${n}`))
  expect(names.filter((name) => name !== undefined)).toHaveLength(200)
  expect(statements.nameOf('SELECT 0')).toBe(names[0])
})

test('nothing is prepared where nothing may be', () => {
  const statements = preparedStatements(false)
  expect(statements.nameOf('SELECT 1')).toBeUndefined()
  expect(statements.recover('SELECT 1', CHANGED)).toBe(false)
})

test('after a change of its tables a statement is prepared anew, under another name', () => {
  const statements = preparedStatements(true)
  const before = statements.nameOf('SELECT 1')
  expect(statements.recover('SELECT 1', CHANGED)).toBe(true)
  expect(statements.nameOf('SELECT 1')).not.toBe(before)
})

test.each(['26000', '42P05'])(
  'behind a proxy that mixes sessions up (%s) nothing is prepared any more, and it is told once',
  (code) => {
    const told: string[] = []
    const statements = preparedStatements(true, (reason) => told.push(reason))
    statements.nameOf('SELECT 1')
    expect(statements.recover('SELECT 1', error(code, 'mixed up'))).toBe(true)
    expect(statements.nameOf('SELECT 1')).toBeUndefined()
    // Another session may have met it at the same time.
    expect(statements.recover('SELECT 1', error(code, 'mixed up'))).toBe(true)
    expect(told).toEqual(['mixed up'])
  },
)

test('other errors, and those of statements that were not prepared, are left to who asked', () => {
  const statements = preparedStatements(true)
  expect(statements.recover('SELECT 1', error('26000'))).toBe(false)
  statements.nameOf('SELECT 1')
  expect(statements.recover('SELECT 1', error('22012', 'division by zero'))).toBe(false)
  expect(statements.recover('SELECT 1', error('0A000', 'is not supported'))).toBe(false)
})
