import { CartBrokenError, ServiceAnswerError, ServiceUnreachableError } from '@pacifica/core'
import { expect, test } from 'vitest'
import { DEFAULT_RETRY, retryOf, waitBefore } from './retry.ts'

const answered = (status: number) => new ServiceAnswerError('POST /upload', status, 'no')

test.each([
  ['a service that cannot be reached', new ServiceUnreachableError('GET /', new Error('refused'))],
  ['a cart that broke off', new CartBrokenError(17, '', new Error('reset'))],
  ['502', answered(502)],
  ['429', answered(429)],
  ['an error of another copy of core', { name: 'Foreign', code: 'TRANSFER_TIMEOUT' }],
])('%s is tried again', (_what, error) => {
  expect(retryOf(error)).toEqual({ retry: {} })
})

test.each([
  ['what a handler throws', new Error('division by zero')],
  ['401', answered(401)],
  ['text', 'text'],
  ['nothing', undefined],
  ['an error that only has such a cause', new Error('mine', { cause: answered(502) })],
])('%s is not', (_what, error) => {
  expect(retryOf(error)).toEqual({})
})

test.each([[-1], [Number.NaN], ['soon']])(
  'a wait of %s, which is none, leaves it to the dispatcher',
  (retryAfterMs) => {
    expect(retryOf({ code: 'RETRYABLE', retryAfterMs })).toEqual({ retry: {} })
  },
)

test('waits are spread, so that many tasks do not come back at once', () => {
  expect([0, 0.5, 1].map((random) => waitBefore(1, DEFAULT_RETRY, random))).toEqual([
    9_000, 10_000, 11_000,
  ])
})
