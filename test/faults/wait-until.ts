import { setTimeout as sleep } from 'node:timers/promises'

/** How long anything may take on a machine that is ten times slower than it should be. */
export const PATIENCE_MS = 480_000

export class NeverHappenedError extends Error {
  readonly code = 'NEVER_HAPPENED'
}

/** Looks again and again until `happened`; an error while looking counts as "not yet". */
export async function waitUntil(
  what: string,
  happened: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs
  let cause: unknown
  for (;;) {
    try {
      if (await happened()) return
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() > deadline)
      throw new NeverHappenedError(`not within ${withinMs / 1000} s: ${what}`, { cause })
    await sleep(40)
  }
}
