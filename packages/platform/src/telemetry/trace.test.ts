import { expect, test } from 'vitest'
import { childTrace, newTrace, readTrace } from './trace.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const hex = (bytes: number) => 'ab'.repeat(bytes)

test('a trace context is taken as it is', () => {
  expect(readTrace(`00-${TRACE}-${SPAN}-00`)).toBe(`00-${TRACE}-${SPAN}-00`)
})

test('of a later version the parts that we know are taken', () => {
  expect(readTrace(`01-${TRACE}-${SPAN}-01-what-ever`)).toBe(`00-${TRACE}-${SPAN}-01`)
})

test.each([
  undefined,
  ['a', 'b'],
  '',
  'garbage',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE}-${SPAN}-01\n`,
])('%j is no trace context', (header) => {
  expect(readTrace(header)).toBeUndefined()
})

test('a request that is sent on belongs to the trace, under an id of its own', () => {
  expect(childTrace(`00-${TRACE}-${SPAN}-00`, hex)).toBe(`00-${TRACE}-${hex(8)}-00`)
})

test('where there is no trace one begins', () => {
  for (const none of [null, undefined, 'garbage'])
    expect(childTrace(none, hex)).toBe(`00-${hex(16)}-${hex(8)}-01`)
  const begun = newTrace()
  expect(readTrace(begun)).toBe(begun)
  expect(newTrace()).not.toBe(begun)
})
