/**
 * Whether a bundle that was sent without an answer has become a transaction. Ingest may take long over it, so 'unknown'
 * counts only when enough time has passed.
 */
import { backoff, sleep } from '@pacifica/platform'

export interface MetadataAsker {
  /**
   * The transactions with this key-value, as soon as there are `atLeast` so many; undefined when Metadata knows fewer
   * of them `withinMs` from now. Rejects with the signal's reason, or when Metadata's last word was none.
   */
  awaitTransactions(
    wanted: { readonly key: string; readonly value: string },
    options: {
      readonly atLeast: number
      readonly since: Date
      readonly withinMs: number
      readonly signal: AbortSignal
    },
  ): Promise<number[] | undefined>
}

interface Asks {
  transactionsWith(
    wanted: { readonly key: string; readonly value: string },
    options: { readonly since: Date; readonly signal: AbortSignal },
  ): Promise<number[]>
}

const PAUSES = { firstMs: 500, maxMs: 30_000 }

export function metadataAsker(metadata: Asks): MetadataAsker {
  return {
    async awaitTransactions(wanted, { atLeast, since, withinMs, signal }) {
      const until = performance.now() + withinMs
      for (let question = 1; ; question += 1) {
        const answer = await metadata
          .transactionsWith(wanted, { since, signal })
          .catch((error: unknown) => ({ error }))
        signal.throwIfAborted()
        if (Array.isArray(answer) && answer.length >= atLeast) return answer
        const leftMs = until - performance.now()
        if (leftMs <= 0 && 'error' in answer) throw answer.error
        if (leftMs <= 0) return undefined
        await sleep(Math.min(leftMs, backoff(question, PAUSES, Math.random)), signal)
        signal.throwIfAborted()
      }
    },
  }
}
