/** What can be said of a URL without looking its name up. */
import { isIP } from 'node:net'
import type { AddressPolicy } from './address-policy.ts'

/**
 * Why a URL may not be posted to, for people; undefined if nothing speaks against it yet. `new URL` has made plain
 * dotted addresses of `0x7f.1`, `2130706433`, `127.1`, `０１７７.0.0.1` and their like before an address is judged.
 */
export function refuseUrl(url: string, policy: AddressPolicy): string | undefined {
  if (!URL.canParse(url)) return 'it is no URL: write http://host/path or https://host/path'
  const { protocol, username, password, hostname } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:')
    return `its scheme is ${protocol.slice(0, -1)}: only http and https are possible`
  if (username !== '' || password !== '')
    return 'it carries a user or password, which everyone would see: give them as credentials instead'
  const host = unbracketed(hostname)
  if (isIP(host) !== 0) return policy.refuse(host)
  if (!isLocalhost(host)) return undefined
  const reasons = ['127.0.0.1', '::1'].map((address) => policy.refuse(address))
  return reasons.includes(undefined) ? undefined : `${host}: ${reasons[0]}`
}

/** `[::1]`, as URLs write it, without its brackets. */
export function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
}

/** RFC 6761: these names are loopback wherever they are looked up. */
function isLocalhost(host: string): boolean {
  return /^(.+\.)?localhost\.?$/.test(host)
}
