import { FilesMissingError, IngestFailedError, ServiceAnswerError } from '@pacifica/core'
import { expect, test } from 'vitest'
import { fromWire, toWire } from './wire-errors.ts'

const passed = (thrown: unknown) => fromWire(structuredClone(toWire(thrown)))

test("core's errors keep their class and what they carry, so that a handler may go by them", () => {
  const missing = passed(new FilesMissingError('http://cartd', [file('a'), file('b')]))
  expect(missing).toBeInstanceOf(FilesMissingError)
  expect(missing).toMatchObject({ code: 'FILES_MISSING', files: [file('a'), file('b')] })
  const failed = passed(new IngestFailedError(7, 'open tar', 'no tar'))
  expect(failed).toBeInstanceOf(IngestFailedError)
  expect(failed).toMatchObject({ jobId: 7, name: 'IngestFailedError' })
})

function file(path: string) {
  return { path, reason: 'it is not there', code: 'FILES_MISSING' } as const
}

test('other errors keep their name, code and causes', () => {
  class LeaseLost extends Error {
    readonly code = 'LEASE_LOST'
  }
  const cause = new ServiceAnswerError('GET /', 503, 'later')
  const error = passed(new LeaseLost('gone', { cause }))
  expect(error).toMatchObject({ name: 'LeaseLost', code: 'LEASE_LOST', message: 'gone' })
  expect(error.cause).toBeInstanceOf(ServiceAnswerError)
})

test('what cannot be sent is left out, and whatever was thrown becomes an error', () => {
  const odd = Object.assign(new Error('odd'), { retry() {}, number: 3n })
  expect(passed(odd)).toMatchObject({ message: 'odd', number: 3n })
  expect(passed(odd)).not.toHaveProperty('retry')
  expect(passed('text')).toMatchObject({ message: 'text' })
  expect(passed(undefined)).toBeInstanceOf(Error)
})

test('causes that run in a circle come to an end', () => {
  const error = new Error('round')
  error.cause = error
  expect(passed(error).message).toBe('round')
})
