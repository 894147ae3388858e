/**
 * A worker's slots: how much it may have in hand at once. A loop claims no more than `available`, starts each piece in
 * a slot and goes on; a piece that takes long holds its own slot and nobody else's.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Slots {
  readonly available: number
  readonly size: number
  /** Resolves when at least one slot is free: when several become so in one turn of the event loop, after them all. */
  free(): Promise<void>
  /** Starts `work` in a slot. What it rejects with goes to `onError`. */
  run(work: () => Promise<void>): void
  /** Resolves when nothing is in hand. */
  drained(): Promise<void>
}

export function createSlots(size: number, onError: (error: unknown) => void): Slots {
  let taken = 0
  let waiting: { until: () => boolean; wake: () => void }[] = []
  const wait = (until: () => boolean): Promise<void> =>
    until() ? Promise.resolve() : new Promise((wake) => waiting.push({ until, wake }))
  const release = () => {
    taken -= 1
    const ready = waiting.filter((waiter) => waiter.until())
    waiting = waiting.filter((waiter) => !ready.includes(waiter))
    for (const { wake } of ready) wake()
  }
  return {
    size,
    get available() {
      return size - taken
    },
    async free() {
      if (taken < size) return
      await wait(() => taken < size)
      await nextTurn()
    },
    drained: () => wait(() => taken === 0),
    run(work) {
      taken += 1
      work().catch(onError).finally(release)
    },
  }
}
