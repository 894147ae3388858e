/**
 * The secrets in a subscription's `auth`: sealed in the table, masked for whoever asks, put into an Authorization
 * header when a delivery goes out. Everything takes `auth` as it may lie in an old table, with members missing.
 */
import { isSealed, type SecretBox } from './secret-box.ts'

export { KeyFileError, loadOrCreateKeyFile } from './key-file.ts'
export {
  isSealed,
  openSecretBox,
  type SecretBox,
  type SecretKey,
  type SecretPlace,
  UnreadableSecretError,
} from './secret-box.ts'

/** `auth` of WIRE.md §2: `{}`, `{ type: 'basic', basic }` or `{ type: 'header', header }`. */
export interface Auth {
  readonly type?: string
  readonly basic?: { readonly username?: string; readonly password?: string }
  readonly header?: { readonly type?: string; readonly credentials?: string }
}

/** Shown in place of every secret; sent back, it means the stored one. */
export const MASK = '********'

/** `auth` cannot be made into a header; names the member, never its value. */
export class UnusableAuthError extends Error {
  readonly code = 'AUTH_UNUSABLE'
  /** JSON pointer into the subscription. */
  readonly path: string
  constructor(member: string, problem: string) {
    super(`auth.${member} ${problem}`)
    this.path = pointerTo(member)
  }
}

/** The mask was given where no secret is stored. */
export class MaskedSecretError extends Error {
  readonly code = 'AUTH_MASKED'
  /** JSON pointer into the subscription. */
  readonly path: string
  constructor(member: string) {
    super(`auth.${member} is the mask that stands for a stored secret, and none is stored`)
    this.path = pointerTo(member)
  }
}

function pointerTo(member: string): string {
  return `/auth/${member.replace('.', '/')}`
}

/** `auth` as replies show it: who, and by what scheme, but no secret. */
export function maskAuth(auth: Auth): Auth {
  return mapSecrets(auth, () => MASK)
}

/**
 * What a PUT makes of `auth`: the given one, with the stored secrets, sealed as they are, where it holds the mask.
 * @param stored `{}` for a new subscription
 * @throws MaskedSecretError
 */
export function mergeAuth(stored: Auth, given: Auth): Auth {
  const kept: Record<Field, string | undefined> = {
    'basic.password': stored.basic?.password,
    'header.credentials': stored.header?.credentials,
  }
  return mapSecrets(given, (secret, field) => {
    if (secret !== MASK) return secret
    const known = kept[field]
    if (known !== undefined) return known
    throw new MaskedSecretError(field)
  })
}

/** `auth` for the table: each secret sealed for its own place. What `stored` holds sealed already stays as it is. */
export function sealAuth(
  box: SecretBox,
  auth: Auth,
  subscription: string,
  stored: Auth = {},
): Auth {
  const sealed = [stored.basic?.password, stored.header?.credentials].filter(
    (secret) => secret !== undefined && isSealed(secret),
  )
  return mapSecrets(auth, (secret, field) =>
    sealed.includes(secret) ? secret : box.seal(secret, { subscription, field: `auth.${field}` }),
  )
}

/**
 * `auth` from the table. A secret that is not sealed, as the Python service stored it, is taken as it is.
 * @throws UnreadableSecretError
 */
export function openAuth(box: SecretBox, auth: Auth, subscription: string): Auth {
  return mapSecrets(auth, (secret, field) =>
    isSealed(secret) ? box.open(secret, { subscription, field: `auth.${field}` }) : secret,
  )
}

/**
 * The Authorization header that an opened `auth` asks for; undefined for `{}`. Basic credentials are encoded in
 * Latin-1, as the Python service did.
 * @throws UnusableAuthError
 */
export function authorizationHeader(auth: Auth): string | undefined {
  switch (auth.type) {
    case undefined:
      return undefined
    case 'basic': {
      const username = sendable(auth.basic?.username, 'basic.username')
      const password = sendable(auth.basic?.password, 'basic.password')
      return `Basic ${Buffer.from(`${username}:${password}`, 'latin1').toString('base64')}`
    }
    case 'header': {
      const scheme = sendable(auth.header?.type, 'header.type')
      const credentials = sendable(auth.header?.credentials, 'header.credentials')
      return `${scheme} ${credentials}`.trim()
    }
    default:
      throw new UnusableAuthError('type', "must be 'basic' or 'header'")
  }
}

type Field = 'basic.password' | 'header.credentials'

function mapSecrets(auth: Auth, change: (secret: string, field: Field) => string): Auth {
  const { basic, header } = auth
  return {
    ...auth,
    ...(basic?.password !== undefined && {
      basic: { ...basic, password: change(basic.password, 'basic.password') },
    }),
    ...(header?.credentials !== undefined && {
      header: { ...header, credentials: change(header.credentials, 'header.credentials') },
    }),
  }
}

function sendable(value: string | undefined, member: string): string {
  if (value === undefined) throw new UnusableAuthError(member, 'is missing')
  if (/[\r\n]/.test(value))
    throw new UnusableAuthError(member, 'holds a line break, which no header can')
  if (!/^[\t\x20-\x7e\xa0-\xff]*$/.test(value))
    throw new UnusableAuthError(
      member,
      'holds a control character or one outside Latin-1, which no header can',
    )
  return value
}
