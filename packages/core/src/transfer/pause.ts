import { setTimeout as sleep } from 'node:timers/promises'

/** The waits between two questions: each half as long again as the last, up to `mostMs`. */
export interface Pauses {
  /** Milliseconds before the second question; 200 where no pauses are given. */
  readonly firstMs: number
  /** Milliseconds, never more; 10 000 where no pauses are given. */
  readonly mostMs: number
}

export const DEFAULT_PAUSES: Pauses = { firstMs: 200, mostMs: 10_000 }

/** Milliseconds before question `n`, counted from 1. */
export function pauseBefore(n: number, { firstMs, mostMs }: Pauses): number {
  return Math.min(mostMs, firstMs * 1.5 ** Math.min(n - 1, 100))
}

/** Rejects with the signal's reason when it aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw error
  })
}
