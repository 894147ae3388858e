/**
 * Encryption at rest, AES-256-GCM. A sealed text reads `sealed:v1:<key id>:<base64url of nonce, ciphertext and tag>`.
 * It opens only in the place it was sealed for: moved to another row or field it is unreadable.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const PREFIX = 'sealed:v1:'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = /^sealed:v1:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/

export interface SecretKey {
  /** 8 hexadecimal digits. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** Where a secret belongs. */
export interface SecretPlace {
  readonly subscription: string
  readonly field: string
}

/** A stored secret cannot be read: its key is missing, or it was changed or moved. Holds nothing secret. */
export class UnreadableSecretError extends Error {
  readonly code = 'SECRET_UNREADABLE'
}

export interface SecretBox {
  /** With the first key. */
  seal(plain: string, place: SecretPlace): string
  /** @throws UnreadableSecretError */
  open(sealed: string, place: SecretPlace): string
  /** Whether it was sealed with the first key: else open and seal it again to be able to retire the older key. */
  isCurrent(sealed: string): boolean
}

/** Whether a stored text is sealed; what the Python service stored is not. */
export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** @param keys the first one seals, all of them open */
export function openSecretBox(keys: readonly [SecretKey, ...SecretKey[]]): SecretBox {
  const [current] = keys
  const byId = new Map(keys.map((key) => [key.id, key]))
  return {
    seal: (plain, place) => seal(current, plain, place),
    open(sealed, place) {
      const [, id = '', payload = ''] = FORM.exec(sealed) ?? []
      const where = `the secret ${place.field} of subscription ${place.subscription}`
      if (id === '')
        throw new UnreadableSecretError(`${where} is not in the form in which secrets are stored`)
      const key = byId.get(id)
      if (key === undefined)
        throw new UnreadableSecretError(
          `${where} was sealed with key ${id}, which the key file does not hold: add that key, or set the secret again`,
        )
      return unseal(key, Buffer.from(payload, 'base64url'), place, where)
    },
    isCurrent: (sealed) => FORM.exec(sealed)?.[1] === current.id,
  }
}

function seal({ id, key }: SecretKey, plain: string, place: SecretPlace): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(bound(id, place))
  const text = [nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return `${PREFIX}${id}:${Buffer.concat(text).toString('base64url')}`
}

function unseal({ id, key }: SecretKey, bytes: Buffer, place: SecretPlace, where: string): string {
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(bound(id, place))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new UnreadableSecretError(
      `${where} was changed or moved since it was stored: set it again`,
      { cause },
    )
  }
}

/** What a sealed text is bound to besides its key. */
function bound(keyId: string, { subscription, field }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([PREFIX, keyId, subscription.toLowerCase(), field]))
}
