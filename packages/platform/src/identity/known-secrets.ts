/** Secrets that callers may show, looked up in a time that tells nothing of them. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export interface KnownSecrets<T> {
  /** What the shown secret stands for; undefined if it is none of ours. */
  find(shown: string | Buffer): T | undefined
}

/** Compares digests under a key of this process's own, and always with all of them. */
export function knownSecrets<T>(
  entries: readonly { secret: string | Buffer; value: T }[],
): KnownSecrets<T> {
  const key = randomBytes(32)
  const digest = (text: string | Buffer) => createHmac('sha256', key).update(text).digest()
  const known = entries.map(({ secret, value }) => ({ digest: digest(secret), value }))
  return {
    find(shown) {
      const asked = digest(shown)
      const found = known.filter((entry) => timingSafeEqual(entry.digest, asked))
      return found[0]?.value
    },
  }
}
