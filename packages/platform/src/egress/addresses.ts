/**
 * IP addresses and ranges: what an address is once its disguises are taken off, and whether it lies in a list of CIDRs.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A text that is no IP address or CIDR; `message` quotes it. */
export class AddressRangeError extends Error {
  readonly code = 'ADDRESS_RANGE'
}

export interface AddressRanges {
  /** False for whatever is no IP address. IPv4-mapped IPv6 addresses count as the IPv4 address that they are. */
  has(address: string | Address): boolean
}

/**
 * @param cidrs `10.0.0.0/8`, `fd00::/8`; a bare address is the range of itself alone
 * @throws AddressRangeError
 */
export function addressRanges(cidrs: readonly string[]): AddressRanges {
  const ranges = cidrs.map(parseRange)
  return {
    has(given) {
      const address = typeof given === 'string' ? parseAddress(given) : given
      if (address === undefined) return false
      return ranges.some(
        ([base, bits]) => base.kind() === address.kind() && address.match(base, bits),
      )
    },
  }
}

/** Mapped addresses (`::ffff:10.0.0.1`) come back as IPv4, zones (`fe80::1%eth0`) are dropped; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0) return undefined
  const address = parseWritten(text)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress())
    return address.toIPv4Address()
  return address
}

/** By way of URL, which writes hexadecimal groups: ipaddr.js takes `::10.0.0.1` for `::ffff:10.0.0.1`. */
function parseWritten(text: string): Address {
  if (isIP(text) === 4) return ipaddr.IPv4.parse(text)
  const { hostname } = new URL(`http://[${text.split('%')[0]}]`)
  return ipaddr.IPv6.parse(hostname.slice(1, -1))
}

/**
 * The IPv4 addresses that an IPv6 address may lead to, by a gateway or tunnel: compatible (::/96), translated
 * (RFC 6145), NAT64 (RFC 6052; RFC 8215 leaves the length of its prefix open), 6to4 (RFC 3056), Teredo (RFC 4380).
 */
export function embeddedAddresses(address: Address): ipaddr.IPv4[] {
  if (address instanceof ipaddr.IPv4) return []
  const bytes = address.toByteArray()
  const at = (...places: number[]) => new ipaddr.IPv4(places.map((place) => bytes[place] ?? 0))
  const last = at(12, 13, 14, 15)
  const form = formOf(address)
  switch (form) {
    case 'none':
      return []
    case 'last':
      return [last]
    case 'local-nat64':
      return [at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12), last]
    case '6to4':
      return [at(2, 3, 4, 5)]
    case 'teredo':
      return [at(4, 5, 6, 7), new ipaddr.IPv4(last.octets.map((octet) => octet ^ 0xff))]
  }
}

/** Whether packets for it simply go to the IPv4 address within: the well-known NAT64 prefix, which DNS64 hands out. */
export function isWellKnownNat64(address: Address): address is ipaddr.IPv6 {
  return WELL_KNOWN_NAT64.has(address)
}

const WELL_KNOWN_NAT64 = addressRanges(['64:ff9b::/96'])

const FORMS = [
  ['last', addressRanges(['::/96', '::ffff:0:0:0/96', '64:ff9b::/96'])],
  ['local-nat64', addressRanges(['64:ff9b:1::/48'])],
  ['6to4', addressRanges(['2002::/16'])],
  ['teredo', addressRanges(['2001::/32'])],
] as const

function formOf(address: ipaddr.IPv6): (typeof FORMS)[number][0] | 'none' {
  return FORMS.find(([, ranges]) => ranges.has(address))?.[0] ?? 'none'
}

function parseRange(cidr: string): readonly [Address, number] {
  const [base = '', length, ...rest] = cidr.trim().split('/')
  const width = isIP(base) === 4 ? 32 : 128
  const bits = length === undefined ? width : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (isIP(base) === 0 || base.includes('%') || rest.length > 0 || bits < 0 || bits > width)
    throw new AddressRangeError(
      `"${cidr}" is no address range: write 10.0.0.0/8, fd00::/8 or an address`,
    )
  const written = parseWritten(base)
  const address = parseAddress(base) ?? written
  if (address.kind() === written.kind()) return [address, bits]
  if (bits < 96) return [written, bits]
  return [address, bits - 96]
}
