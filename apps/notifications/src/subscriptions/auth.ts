/**
 * A subscription's secrets between the API and the table: sealed on the way in and opened when a delivery needs them.
 * What the Python service stored in `auth` is plain, and is read as it is.
 */
import {
  type Auth,
  authorizationHeader,
  loadOrCreateKeyFile,
  mergeAuth,
  openAuth,
  openSecretBox,
  sealAuth,
  UnreadableSecretError,
} from './secrets.ts'

/** Where `auth` is stored: its subscription, and the column's JSON text. */
export interface StoredAuth {
  readonly uuid: string
  readonly auth: string
}

export interface Secrets {
  /**
   * The column's text for what a request gives; masked secrets stay stored as they are, unopened.
   * @throws MaskedSecretError, UnusableAuthError
   */
  sealAuth(given: Auth, stored: StoredAuth): string
  /** @throws UnreadableSecretError */
  openAuth(stored: StoredAuth): Auth
  sealSigning(uuid: string, secret: string): string
  /** @throws UnreadableSecretError */
  openSigning(uuid: string, sealed: string): string
}

const SIGNING = 'signing'

/** @throws KeyFileError */
export function loadSecrets(keyFile: string): Secrets {
  const box = openSecretBox(loadOrCreateKeyFile(keyFile))
  return {
    openAuth: ({ uuid, auth }) => openAuth(box, parse(auth, uuid), uuid),
    sealAuth(given, { uuid, auth }) {
      const stored = parseOrNone(auth)
      const merged = mergeAuth(stored, given)
      authorizationHeader(merged) // what cannot be sent is refused now, not at the first delivery
      return JSON.stringify(sealAuth(box, merged, uuid, stored))
    },
    sealSigning: (uuid, secret) => box.seal(secret, { subscription: uuid, field: SIGNING }),
    openSigning: (uuid, sealed) => box.open(sealed, { subscription: uuid, field: SIGNING }),
  }
}

/** The parser's own words would quote the text, and with it a secret. */
function parse(auth: string, uuid: string): Auth {
  const stored = parseOrNone(auth)
  if (stored === NONE)
    throw new UnreadableSecretError(
      `the auth of subscription ${uuid} is no JSON object: set it again`,
    )
  return stored
}

const NONE: Auth = {}

function parseOrNone(auth: string): Auth {
  try {
    const stored: unknown = JSON.parse(auth)
    return typeof stored === 'object' && stored !== null ? stored : NONE
  } catch {
    return NONE
  }
}
