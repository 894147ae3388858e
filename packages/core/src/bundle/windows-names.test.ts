import { expect, test } from 'vitest'
import { whyNotOnWindows } from './windows-names.ts'

test.each([
  ['a\\b', 'backslash'],
  ['C:', 'colon'],
  ['file.txt:stream', 'colon'],
  ['what?', 'no Windows name may have'],
  ['a|b', 'no Windows name may have'],
  ['line\nbreak', 'no Windows name may have'],
  ['ends.', 'cuts off'],
  ['ends ', 'cuts off'],
  ['NUL', 'device'],
  ['con.txt', 'device'],
  ['Lpt1.tar.gz', 'device'],
  ['com¹', 'device'],
])('%j cannot be a name on Windows', (name, reason) => {
  expect(whyNotOnWindows(name)).toContain(reason)
})

test.each(['a.txt', 'console', 'com', 'com10', 'nullable.txt', '.hidden', 'パソ', 'a b', 'x..y'])(
  '%j can',
  (name) => {
    expect(whyNotOnWindows(name)).toBeUndefined()
  },
)
