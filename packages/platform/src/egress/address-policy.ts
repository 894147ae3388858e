/**
 * Which addresses may be connected to. Public unicast only, unless the operator opens more; link-local addresses and
 * the metadata services of clouds stay shut whatever the operator writes, because they hand out the machine's own
 * credentials.
 */
import ipaddr from 'ipaddr.js'
import {
  type Address,
  addressRanges,
  embeddedAddresses,
  isWellKnownNat64,
  parseAddress,
} from './addresses.ts'

export interface AddressPolicy {
  /** Why this IP address is refused, for people; undefined if it may be connected to. */
  refuse(address: string): string | undefined
}

/** Link-local, and where AWS, Google, Alibaba, Oracle, Azure and Scaleway answer with metadata outside of it. */
const NEVER = addressRanges([
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '100.100.100.200/32',
  '192.0.0.192/32',
  '168.63.129.16/32',
  'fd00:42::42/128',
])

/** IPv6 hands out public addresses from here alone so far (RFC 4291, IANA). */
const PUBLIC_IPV6 = addressRanges(['2000::/3'])

const KINDS: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified',
  broadcast: 'the broadcast',
  multicast: 'a multicast',
  linkLocal: 'a link-local',
  loopback: 'a loopback',
  carrierGradeNat: 'a carrier-grade NAT',
  private: 'a private',
  uniqueLocal: 'a unique local (private)',
  rfc6052: 'a NAT64',
  '6to4': 'a 6to4',
  teredo: 'a Teredo',
}

/**
 * @param options CIDRs: `allow` opens what is not public, `deny` wins over it
 * @throws AddressRangeError
 */
export function createAddressPolicy(options: {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}): AddressPolicy {
  const allow = addressRanges(options.allow)
  const deny = addressRanges(options.deny)
  return {
    refuse(text) {
      const address = parseAddress(text)
      if (address === undefined) return `${text} is no IP address`
      const faces = [address, ...embeddedAddresses(address)]
      const shut = faces.find((face) => NEVER.has(face))
      if (shut) return `${name(text, shut)} is a link-local or metadata address: never allowed`
      const denied = faces.find((face) => deny.has(face))
      if (denied) return `${name(text, denied)} is in a range that TARGET_DENY closes`
      const reached = isWellKnownNat64(address) ? (faces[1] as Address) : address
      if (allow.has(address) || allow.has(reached) || isPublic(reached)) return undefined
      const kind = KINDS[reached.range()] ?? 'a reserved'
      return `${name(text, reached)} is ${kind} address: not allowed unless TARGET_ALLOW opens it`
    },
  }
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || PUBLIC_IPV6.has(address)
}

/** The address as it was given, and in brackets what it stands for when that is another. */
function name(given: string, face: Address): string {
  const plain = face.toString()
  return given === plain ? given : `${given} (that is ${plain})`
}
