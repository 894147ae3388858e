/** Who may post events: whoever shows one of the credentials of RECEIVE_AUTH. */
import { knownSecrets, type ReceiveCredential } from '@pacifica/platform'
import type { IncomingRequest } from './identify.ts'

/** No credential, or none that we know: 401 with `challenge` as WWW-Authenticate. */
export class ReceiveAuthError extends Error {
  readonly code = 'RECEIVE_UNAUTHORIZED'
  readonly challenge = 'Basic realm="receive", Bearer realm="receive"'
}

/** @throws ReceiveAuthError */
export type ReceiveGuard = (request: Pick<IncomingRequest, 'headers'>) => void

/** Pacifica Metadata shows Basic credentials when its NOTIFICATIONS_URL holds them: `http://user:password@host/receive`. */
export function createReceiveGuard(options: {
  readonly credentials: readonly ReceiveCredential[]
}): ReceiveGuard {
  const known = knownSecrets(
    options.credentials.flatMap(shownAs).map((secret) => ({ secret, value: true })),
  )
  return ({ headers }) => {
    const { authorization } = headers
    const [, scheme = '', rest = ''] = /^(basic|bearer) +(.*)$/i.exec(String(authorization)) ?? []
    if (scheme === '')
      throw new ReceiveAuthError('events are taken only with credentials: Basic or a Bearer token')
    const shown =
      scheme.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64') : Buffer.from(rest.trim())
    if (!known.find(tagged(scheme, shown)))
      throw new ReceiveAuthError('these credentials are not known here')
  }
}

/** Clients write a password's letters beyond ASCII in UTF-8, or in Latin-1 as Python's requests does. */
function shownAs(credential: ReceiveCredential): Buffer[] {
  if (credential.scheme === 'bearer') return [tagged('bearer', Buffer.from(credential.token))]
  const text = `${credential.user}:${credential.password}`
  return (['utf8', 'latin1'] as const).map((encoding) =>
    tagged('basic', Buffer.from(text, encoding)),
  )
}

/** A token shown as a password, or the other way round, is not known. */
function tagged(scheme: string, secret: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${scheme.toLowerCase()} `), secret])
}
