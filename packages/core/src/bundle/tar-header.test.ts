import { expect, test } from 'vitest'
import { tarHeader as independent } from '../../../../test/pacifica/tar.ts'
import { paddingAfter, tarHeader, tarHeaderSize } from './tar-header.ts'

const AT = new Date('2018-08-30T15:19:40.987Z')

test.each([
  ['data/a.txt', 10],
  ['x'.repeat(100), 0],
  ['data/big.bin', 8 ** 11 - 1],
  ['data/bigger.bin', 8 ** 11],
  ['data/biggest.bin', 2 ** 50],
])('a plain name needs one block, whatever the size: %s, %d bytes', (name, size) => {
  const header = tarHeader({ name, size, modified: AT })
  expect(header.length).toBe(512)
  expect(tarHeaderSize({ name, size, modified: AT })).toBe(512)
  const expected = independent({ name, size, mtime: Math.floor(AT.getTime() / 1000) }, 'pax')
  expect(header.equals(expected)).toBe(true)
})

test.each(['x'.repeat(101), 'パソ/café.csv', 'line\nbreak', 'é'.repeat(400)])(
  'another name has its own record: %j',
  (name) => {
    const header = tarHeader({ name, size: 3, modified: AT })
    const bytes = Buffer.byteLength(name)
    const record = ` path=${name}\n`
    expect(header.subarray(0, 9).toString()).toBe('PaxHeader')
    expect(header.includes(record)).toBe(true)
    const length = Number(/(\d+) path=/.exec(header.toString('latin1'))?.[1])
    expect(length).toBe(String(length).length + Buffer.byteLength(record))
    expect(header.length).toBe(1_024 + Math.ceil((bytes + 10) / 512) * 512)
    expect(tarHeaderSize({ name, size: 3, modified: AT })).toBe(header.length)
  },
)

test.each([
  ['1960-01-02T03:04:05Z', -315_521_755],
  ['9999-12-31T23:59:59Z', 253_402_300_799],
])('a time that the header cannot hold has its own record: %s', (time, seconds) => {
  const member = { name: 'a', size: 0, modified: new Date(time) }
  const header = tarHeader(member)
  expect(tarHeaderSize(member)).toBe(header.length)
  expect(header.toString('latin1')).toContain(` mtime=${seconds}\n`)
})

test('what follows is padded to whole blocks', () => {
  expect([0, 1, 511, 512, 513].map(paddingAfter)).toEqual([0, 511, 1, 0, 511])
})
