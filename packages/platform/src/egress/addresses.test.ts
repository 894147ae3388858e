import { expect, test } from 'vitest'
import { AddressRangeError, addressRanges, embeddedAddresses, parseAddress } from './addresses.ts'

test.each([
  ['10.0.0.0/8', '10.255.255.255', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.9.8.7/8', '10.1.1.1', true],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.4', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['fd00::/8', 'fd12::1', true],
  ['fd00::/8', 'fe80::1', false],
  ['::1', '::1', true],
  ['127.0.0.0/8', '::ffff:127.0.0.1', true],
  ['127.0.0.0/8', '::ffff:7f00:1', true],
  ['::ffff:10.0.0.0/104', '10.200.0.1', true],
  ['::ffff:10.0.0.0/104', '11.0.0.1', false],
  ['::/0', '2001:db8::1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['127.0.0.0/8', 'localhost', false],
  ['127.0.0.0/8', '127.1', false],
  ['127.0.0.0/8', '', false],
])('%s holds %s: %s', (cidr, address, held) => {
  expect(addressRanges([cidr]).has(address)).toBe(held)
})

test('no ranges hold nothing', () => {
  expect(addressRanges([]).has('127.0.0.1')).toBe(false)
})

test.each([
  '',
  'x',
  '10.0.0.0/33',
  '10.0.0/8',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  'fd00::/129',
  'fe80::1%eth0/64',
  '0x0a.0.0.0/8',
])('%j is refused as a range, and quoted', (cidr) => {
  expect(() => addressRanges(['10.0.0.0/8', cidr])).toThrow(AddressRangeError)
  expect(() => addressRanges([cidr])).toThrow(`"${cidr}"`)
})

test.each([
  ['8.8.8.8', []],
  ['2606:4700::1111', []],
  ['::10.1.2.3', ['10.1.2.3']],
  ['::ffff:0:10.1.2.3', ['10.1.2.3']],
  ['64:ff9b::10.1.2.3', ['10.1.2.3']],
  ['2002:0a01:0203::1', ['10.1.2.3']],
  ['2001:0:0a01:0203::f5fe:fdfc', ['10.1.2.3', '10.1.2.3']],
])('%s may lead to %j', (address, embedded) => {
  const parsed = parseAddress(address)
  expect(parsed && embeddedAddresses(parsed).map(String)).toEqual(embedded)
})

test.each([
  ['/48', '64:ff9b:1:a9fe:a9:fe00::'],
  ['/56', '64:ff9b:1:a9:fe:a9fe::'],
  ['/64', '64:ff9b:1:0:a9:fea9:fe00:0'],
  ['/96', '64:ff9b:1::169.254.169.254'],
])('a local NAT64 prefix of length %s hides no address (%s)', (_length, address) => {
  const parsed = parseAddress(address)
  expect(parsed && embeddedAddresses(parsed).map(String)).toContain('169.254.169.254')
})
