import { expect, test } from 'vitest'
import { createReceiveGuard, ReceiveAuthError } from './index.ts'

const guard = createReceiveGuard({
  credentials: [
    { scheme: 'bearer', token: 'tok' },
    { scheme: 'basic', user: 'metadata', password: 'p:w' },
    { scheme: 'basic', user: 'é', password: 'ü' },
  ],
})
const basic = (text: string, encoding: BufferEncoding = 'utf8') =>
  `Basic ${Buffer.from(text, encoding).toString('base64')}`

test.each([
  'Bearer tok',
  'bearer tok',
  basic('metadata:p:w'),
  basic('metadata:p:w').replace('Basic', 'BASIC'),
  basic('é:ü'),
  basic('é:ü', 'latin1'),
])('%s may post events', (authorization) => {
  expect(() => guard({ headers: { authorization } })).not.toThrow()
})

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearer tok2',
  'Bearer metadata:p:w',
  'Basic tok',
  'Basic',
  'Basic !!!',
  basic('metadata:p'),
  basic('metadata:p:w2'),
  basic('tok'),
  basic(':'),
  'Digest tok',
])('%s may not, and is told what would do', (authorization) => {
  expect(() => guard({ headers: { authorization } })).toThrow(ReceiveAuthError)
  expect(() => guard({ headers: { authorization } })).toThrow(
    expect.objectContaining({
      code: 'RECEIVE_UNAUTHORIZED',
      challenge: expect.stringContaining('Basic'),
    }),
  )
})
