/**
 * Opens the connections of the egress client. A name is looked up once for each connection, every address of the
 * answer is checked, and the socket is given those addresses and no name: whoever changes the answer afterwards
 * changes nothing. The TLS server name and the Host header stay the name.
 */
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { buildConnector } from 'undici'
import type { AddressPolicy } from './address-policy.ts'

/** A connection that the rules forbid; `message` is for people. */
export class ForbiddenAddressError extends Error {
  readonly code = 'EGRESS_FORBIDDEN'
}

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** All addresses of a host name, in the order in which to try them. Rejects as `dns.lookup` does. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** Asks the system (hosts file, DNS). Those who ask for the same name at once share one answer: a name server that hangs holds one thread for it, not all. */
export function systemResolve(): Resolve {
  const asked = new Map<string, Promise<ResolvedAddress[]>>()
  return (hostname) => {
    const known = asked.get(hostname)
    if (known !== undefined) return known
    const answer = systemLookup(hostname, { all: true }).finally(() => asked.delete(hostname))
    asked.set(hostname, answer)
    return answer
  }
}

/** A connector that reaches only addresses that `policy` does not refuse. */
export function guardedConnector(
  needs: { readonly policy: AddressPolicy; readonly resolve: Resolve },
  options: { readonly timeoutMs: number; readonly secureContext?: SecureContext | undefined },
): buildConnector.connector {
  const { secureContext } = options
  const connect = buildConnector({
    timeout: options.timeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 500,
    lookup: guardedLookup(needs),
    ...(secureContext && { secureContext }),
  } as buildConnector.BuildOptions)
  return (target, callback) => {
    const refused = isIP(target.hostname) ? needs.policy.refuse(target.hostname) : undefined
    if (refused === undefined) connect(target, callback)
    else callback(new ForbiddenAddressError(refused), null)
  }
}

function guardedLookup(needs: {
  readonly policy: AddressPolicy
  readonly resolve: Resolve
}): LookupFunction {
  return (hostname, options, callback) => {
    permitted(needs, hostname).then(
      (addresses) => {
        const [first] = addresses
        if (options.all) callback(null, [...addresses])
        else callback(null, first?.address ?? '', first?.family ?? 0)
      },
      (error) => callback(error, []),
    )
  }
}

/** One forbidden address among several refuses the name: such an answer is a trap or a mistake. */
async function permitted(
  needs: { readonly policy: AddressPolicy; readonly resolve: Resolve },
  hostname: string,
): Promise<readonly ResolvedAddress[]> {
  const addresses = await needs.resolve(hostname)
  for (const { address } of addresses) {
    const refused = needs.policy.refuse(address)
    if (refused !== undefined) throw new ForbiddenAddressError(`${hostname} leads to ${refused}`)
  }
  if (addresses.length === 0)
    throw Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND', hostname })
  return addresses
}

/** The usual roots and the operator's own; undefined leaves it to Node (and NODE_EXTRA_CA_CERTS). */
export function trusting(ca: string | undefined): SecureContext | undefined {
  return ca === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, ca] })
}
