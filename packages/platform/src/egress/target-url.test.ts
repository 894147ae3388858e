import { expect, test } from 'vitest'
import { createAddressPolicy } from './address-policy.ts'
import { refuseUrl } from './target-url.ts'

const byDefault = createAddressPolicy({ allow: [], deny: [] })
const loopbackOpen = createAddressPolicy({ allow: ['127.0.0.0/8', '::1/128'], deny: [] })

test.each([
  'http://127.0.0.1/',
  'http://127.0.0.1:8080/x',
  'http://127.0.0.1./',
  'http://127.1/',
  'http://127.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0x7F.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.0.0.0x1/',
  'http://１２７.0.0.1/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http:127.0.0.1/',
  'http:\\\\127.0.0.1\\',
  ' \thttp://127.0.\n0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/latest/meta-data',
  'https://169.254.169.254/latest/meta-data/',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://10.0.0.1/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://localhost/',
  'http://LOCALHOST:9/',
  'http://localhost./',
  'http://a.b.localhost/',
])('%j is refused without a look-up, as an address', (url) => {
  expect(refuseUrl(url, byDefault)).toMatch(/address/)
})

test.each([
  ['ftp://example.org/', 'its scheme is ftp'],
  ['file:///etc/passwd', 'its scheme is file'],
  ['gopher://example.org/', 'its scheme is gopher'],
  ['javascript:alert(1)', 'its scheme is javascript'],
  ['http://user:pw@example.org/', 'user or password'],
  ['http://user@example.org/', 'user or password'],
  ['http://127.0.0.1@example.org/', 'user or password'],
  ['example.org/hook', 'no URL'],
  ['http://', 'no URL'],
  ['http://[::1%25eth0]/', 'no URL'],
  ['http://1.2.3.4.5/', 'no URL'],
  ['http://300.1.1.1/', 'no URL'],
  ['', 'no URL'],
])('%j is refused: %s', (url, reason) => {
  expect(refuseUrl(url, byDefault)).toContain(reason)
})

test('a refusal repeats no password', () => {
  expect(refuseUrl('http://user:hunter2@example.org/', byDefault)).not.toContain('hunter2')
})

test.each([
  'http://example.org/',
  'https://example.org:8443/hook?token=1#x',
  'http://8.8.8.8/',
  'http://[2606:4700::1111]/',
  'http://localhost.example.org/',
  'http://10.0.0.1.nip.io/',
])('%s passes until its name is looked up', (url) => {
  expect(refuseUrl(url, byDefault)).toBeUndefined()
})

test('what is allowed passes: loopback, by address and as localhost', () => {
  for (const host of [
    '127.0.0.1',
    '0x7f.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
    'x.localhost',
  ])
    expect(refuseUrl(`http://${host}:8080/`, loopbackOpen)).toBeUndefined()
})
