/**
 * Keeps a backtest to its share of the time: it works for a slice, then rests in proportion to what it really took, so
 * that others have the process, the database and Policy meanwhile.
 */
export interface Pace {
  /** Rests when the slice is used up. */
  breathe(): Promise<void>
}

export interface PaceOptions {
  /** Of all time, in percent. */
  readonly share: number
  readonly sliceMs: number
}

/** However long a slice took, nobody waits longer. */
const MOST_REST_MS = 10_000

export function createPace(
  needs: { now: () => number; sleep: (ms: number) => Promise<void> },
  { share, sliceMs }: PaceOptions,
): Pace {
  let began = needs.now()
  return {
    async breathe() {
      const worked = needs.now() - began
      if (worked < sliceMs) return
      await needs.sleep(Math.min(MOST_REST_MS, worked * (100 / share - 1)))
      began = needs.now()
    },
  }
}
