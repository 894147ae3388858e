import { expect, test } from 'vitest'
import { parseDate } from './dates.ts'

test('a time as the Python service has it is local', () => {
  expect(parseDate('2020-02-29 23:59:58')).toEqual(new Date(2020, 1, 29, 23, 59, 58))
})

test.each([
  ['2020-01-02T03:04:05Z', undefined, '2020-01-02T03:04:05.000Z'],
  ['2020-01-02T03:04+02:00', undefined, '2020-01-02T01:04:00.000Z'],
  ['02.01.2020 03h04 -0130', '%d.%m.%Y %Hh%M %z', '2020-01-02T04:34:00.000Z'],
  ['100% 2020 5.25 +0000', '100%% %Y %S.%f %z', '2020-01-01T00:00:05.250Z'],
])('%s in the form %s', (text, format, time) => {
  expect(parseDate(text, format).toISOString()).toBe(time)
})

test.each([
  ['2020-13-01 00:00:00', undefined, 'there is no time 2020-13-01 00:00:00'],
  ['2021-02-29 00:00:00', undefined, 'there is no time 2021-02-29 00:00:00'],
  ['2020-01-01 24:00:00', undefined, 'there is no time 2020-01-01 24:00:00'],
  ['yesterday', undefined, '"yesterday" is no time of the form %Y-%m-%d %H:%M:%S'],
  ['1 Jan', '%d %b', '--date-format: %b is not possible; possible are %Y %m %d %H %M %S %f %z'],
])('%s in the form %s is refused', (text, format, message) => {
  expect(() => parseDate(text, format)).toThrow(message)
})
