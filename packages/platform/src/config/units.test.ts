import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './units.ts'

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['10min', 600_000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['5d', 432_000_000],
  ['2w', 1_209_600_000],
  ['1.5h', 5_400_000],
  ['10 min', 600_000],
  ['20', 20_000],
  ['0', 0],
])('%s is %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', 's', '-5s', '5x', '5 5s', '1e3s', 'NaN', '5constructor', '99999999999999w'])(
  '%s is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

test.each([
  ['4096', 4096],
  ['10B', 10],
  ['64KiB', 65_536],
  ['32MiB', 33_554_432],
  ['32mib', 33_554_432],
  ['10MB', 10_000_000],
  ['1.5GiB', 1_610_612_736],
])('%s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', 'MiB', '32M', '-1', '5s'])('%s is no size', (text) => {
  expect(parseSize(text)).toBeUndefined()
})
