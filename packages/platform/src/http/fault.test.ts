import { expect, test } from 'vitest'
import { faultOf } from './fault.ts'

const table = { REFUSED: 401, AWAY: 503 }

test('an error in the table may say how to authenticate, and when to try again', () => {
  const refused = Object.assign(new Error('who?'), { code: 'REFUSED', challenge: 'Bearer' })
  expect(faultOf(refused, table, 'id').headers).toEqual({ 'www-authenticate': 'Bearer' })
  const away = Object.assign(new Error('away'), { code: 'AWAY', retryAfterS: 4.2 })
  expect(faultOf(away, table, 'id').headers).toEqual({ 'retry-after': '5' })
})

test('an error that is not in the table sets no header, nor does one that has nothing to say', () => {
  const other = Object.assign(new Error('x'), {
    code: 'OTHER',
    challenge: 'Bearer',
    retryAfterS: 1,
  })
  expect(faultOf(other, table, 'id').headers).toBeUndefined()
  expect(faultOf(Object.assign(new Error('x'), { code: 'AWAY' }), table, 'id').headers).toBe(
    undefined,
  )
})
