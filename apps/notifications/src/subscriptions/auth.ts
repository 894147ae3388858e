/**
 * A subscription's `auth` between the API and the table: its secrets are sealed on the way in and opened when a
 * delivery needs them. What the Python service stored is plain, and is read as it is.
 */
import {
  type Auth,
  authorizationHeader,
  loadOrCreateKeyFile,
  mergeAuth,
  openAuth,
  openSecretBox,
  sealAuth,
} from './secrets.ts'

/** Where `auth` is stored: its subscription, and the column's JSON text. */
export interface StoredAuth {
  readonly uuid: string
  readonly auth: string
}

export interface Secrets {
  /**
   * The column's text for what a request gives; masked secrets keep their stored value.
   * @throws MaskedSecretError, UnusableAuthError, UnreadableSecretError
   */
  sealAuth(given: Auth, stored: StoredAuth): string
  /** @throws UnreadableSecretError */
  openAuth(stored: StoredAuth): Auth
}

/** @throws KeyFileError */
export function loadSecrets(keyFile: string): Secrets {
  const box = openSecretBox(loadOrCreateKeyFile(keyFile))
  const open = ({ uuid, auth }: StoredAuth): Auth => openAuth(box, JSON.parse(auth), uuid)
  return {
    openAuth: open,
    sealAuth(given, stored) {
      const merged = mergeAuth(open(stored), given)
      authorizationHeader(merged) // what cannot be sent is refused now, not at the first delivery
      return JSON.stringify(sealAuth(box, merged, stored.uuid))
    },
  }
}
