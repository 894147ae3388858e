/**
 * Signatures of deliveries by the Standard Webhooks specification, version 1.0.0 (standardwebhooks.com): HMAC-SHA256
 * over `id.timestamp.body`.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const PREFIX = 'whsec_'
const SECRET_BYTES = 32
/** How far the clocks of sender and receiver may be apart; what the specification's own libraries use. */
const TOLERANCE_SECONDS = 5 * 60

/** A text that is no signing secret; it is not repeated in the message. */
export class SigningSecretError extends Error {
  readonly code = 'SIGNING_SECRET'
}

export interface SignedContent {
  /** The same for each attempt of one delivery; without a `.`, which separates what is signed. */
  readonly id: string
  /** Of this attempt, in seconds since 1970. */
  readonly timestamp: number
  /** Exactly the bytes that are sent. */
  readonly body: string
  /** One, or while they are rotated several: the receiver needs to know only one of them. */
  readonly secrets: readonly string[]
}

/** `whsec_` and 32 random bytes in base64. */
export function newSigningSecret(random: (size: number) => Buffer = randomBytes): string {
  return PREFIX + random(SECRET_BYTES).toString('base64')
}

/**
 * The value of `webhook-signature`: `v1,<base64>` for each secret, separated by blanks.
 * @throws SigningSecretError
 */
export function sign({ id, timestamp, body, secrets }: SignedContent): string {
  const content = `${id}.${timestamp}.${body}`
  return secrets
    .map((secret) => `v1,${createHmac('sha256', keyOf(secret)).update(content).digest('base64')}`)
    .join(' ')
}

/** The headers of a delivery; without secrets it goes unsigned, but can still be told from others. */
export function webhookHeaders(content: SignedContent): Record<string, string> {
  const { id, timestamp, secrets } = content
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    ...(secrets.length > 0 && { 'webhook-signature': sign(content) }),
  }
}

/**
 * What a receiver does: whether one of the signatures was made with one of the secrets, for this body, by `now`
 * (seconds since 1970) or at most five minutes apart from it.
 * @throws SigningSecretError
 */
export function verify(
  received: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string },
  options: { readonly secrets: readonly string[]; readonly now: number },
): boolean {
  const {
    'webhook-id': id,
    'webhook-timestamp': written,
    'webhook-signature': signatures,
  } = received.headers
  if (typeof id !== 'string' || typeof written !== 'string' || typeof signatures !== 'string')
    return false
  if (!/^\d{1,12}$/.test(written) || Math.abs(options.now - Number(written)) > TOLERANCE_SECONDS)
    return false
  const given = signatures.split(' ')
  return options.secrets.some((secret) => {
    const expected = sign({
      id,
      timestamp: Number(written),
      body: received.body,
      secrets: [secret],
    })
    return given.some((signature) => isSame(signature, expected))
  })
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** 24 to 64 bytes, by the specification. */
function keyOf(secret: string): Buffer {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret
  const key = Buffer.from(text, 'base64')
  if (!/^[A-Za-z0-9+/]+=*$/.test(text) || key.length < 24 || key.length > 64)
    throw new SigningSecretError('a signing secret is whsec_ and 24 to 64 bytes in base64')
  return key
}
