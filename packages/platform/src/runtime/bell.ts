/**
 * A bell wakes a loop that sleeps between two looks at its table. Ringing is a hint, never the truth: a lost ring
 * costs one idle period, because every loop also polls.
 */
export interface Bell {
  /** Wakes whoever waits; with nobody waiting, the next `wait` returns at once. Never throws. */
  ring(): void
  /** Resolves when rung, after `ms` milliseconds, or when `signal` aborts: whichever is first. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** A bell within this process. */
export function createBell(): Bell {
  let rung = false
  const waiting = new Set<() => void>()
  return {
    ring() {
      if (waiting.size === 0) rung = true
      for (const wake of [...waiting]) wake()
    },
    wait(ms, signal) {
      if (rung || signal.aborted) {
        rung = false
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        signal.addEventListener('abort', wake)
        waiting.add(wake)
      })
    },
  }
}
