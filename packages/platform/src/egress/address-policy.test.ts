import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAddressPolicy } from './address-policy.ts'

const byDefault = createAddressPolicy({ allow: [], deny: [] })
const allOpen = createAddressPolicy({ allow: ['0.0.0.0/0', '::/0'], deny: [] })

test.each([
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.127.255.255', 'carrier-grade NAT'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.0.1', 'link-local'],
  ['169.254.169.254', 'metadata'],
  ['100.100.100.200', 'metadata'],
  ['192.0.0.192', 'metadata'],
  ['168.63.129.16', 'metadata'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['fc00::1', 'unique local'],
  ['fdff::1', 'unique local'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fec0::1', 'reserved'],
  ['ff02::1', 'multicast'],
  ['100::1', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['2001:2::1', 'reserved'],
  ['2001:20::1', 'reserved'],
  ['3fff::1', 'reserved'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'reserved'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:169.254.169.254', 'metadata'],
  ['::127.0.0.1', 'reserved'],
  ['::169.254.169.254', 'metadata'],
  ['::ffff:0:127.0.0.1', 'reserved'],
  ['::ffff:0:169.254.169.254', 'metadata'],
  ['64:ff9b::127.0.0.1', 'loopback'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::169.254.169.254', 'metadata'],
  ['64:ff9b:1::10.0.0.1', 'NAT64'],
  ['64:ff9b:1::169.254.169.254', 'metadata'],
  ['64:ff9b:1:a9fe:a9:fe00::', 'metadata'],
  ['2002:7f00:1::1', '6to4'],
  ['2002:808:808::1', '6to4'],
  ['2002:a9fe:a9fe::1', 'metadata'],
  ['2001::1', 'Teredo'],
  ['2001:0:808:808::5601:5601', 'metadata'],
  ['not an address', 'no IP address'],
  ['', 'no IP address'],
])('%s is refused, as %s', (address, word) => {
  expect(byDefault.refuse(address)).toContain(word)
})

test.each([
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '223.255.255.255',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
])('%s is public and permitted', (address) => {
  expect(byDefault.refuse(address)).toBeUndefined()
})

test('the message says what is wrong, what stands behind a disguise, and what an operator can do', () => {
  expect(byDefault.refuse('10.0.0.1')).toBe(
    '10.0.0.1 is a private address: not allowed unless TARGET_ALLOW opens it',
  )
  expect(byDefault.refuse('64:ff9b::a00:1')).toBe(
    '64:ff9b::a00:1 (that is 10.0.0.1) is a private address: not allowed unless TARGET_ALLOW opens it',
  )
  expect(byDefault.refuse('::ffff:a9fe:a9fe')).toBe(
    '::ffff:a9fe:a9fe (that is 169.254.169.254) is a link-local or metadata address: never allowed',
  )
})

test('TARGET_ALLOW opens its ranges, in each of their forms, and nothing else', () => {
  const policy = createAddressPolicy({ allow: ['10.1.0.0/16', 'fd12::/16'], deny: [] })
  for (const open of ['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd12::1', '8.8.8.8'])
    expect(policy.refuse(open)).toBeUndefined()
  for (const shut of ['10.2.0.1', '127.0.0.1', 'fd13::1', '2002:0a01:0203::1', '::10.1.2.3'])
    expect(policy.refuse(shut)).toBeDefined()
})

test('TARGET_DENY wins over TARGET_ALLOW and over being public, in each form of an address', () => {
  const policy = createAddressPolicy({
    allow: ['10.0.0.0/8', '::/0'],
    deny: ['10.66.0.0/16', '8.8.8.0/24'],
  })
  expect(policy.refuse('10.1.0.1')).toBeUndefined()
  for (const shut of [
    '10.66.1.1',
    '8.8.8.8',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:0808:0808::1',
  ])
    expect(policy.refuse(shut)).toContain('TARGET_DENY')
})

test.each([
  '169.254.1.1',
  '169.254.169.254',
  'fe80::1',
  'fd00:ec2::254',
  '100.100.100.200',
  '64:ff9b::169.254.1.1',
  '2002:a9fe:a9fe::',
])('%s stays shut with everything allowed', (address) => {
  expect(allOpen.refuse(address)).toContain('never allowed')
})

test('with everything allowed, everything but link-local and metadata is open', () => {
  for (const open of ['127.0.0.1', '::1', '192.168.0.1', 'fd00::1', '2002:0a00:1::', '::10.0.0.1'])
    expect(allOpen.refuse(open)).toBeUndefined()
})

test('no IPv6 address that carries a private IPv4 address is let through', () => {
  const byte = fc.nat(255)
  const group = fc.nat(0xffff).map((n) => n.toString(16))
  const prefix = fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::')
  fc.assert(
    fc.property(prefix, byte, byte, byte, (start, b, c, d) => {
      expect(byDefault.refuse(`${start}10.${b}.${c}.${d}`)).toBeDefined()
    }),
  )
  fc.assert(
    fc.property(group, group, group, (a, b, c) => {
      expect(byDefault.refuse(`2002:${a}:${b}::${c}`)).toBeDefined()
      expect(byDefault.refuse(`2001:0:${a}:${b}::${c}`)).toBeDefined()
    }),
  )
})
