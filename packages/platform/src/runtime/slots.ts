/**
 * A worker's slots: how much it may have in hand at once. Who claims work takes slots first, so that several who share
 * them never claim more together than there are; starts each piece in a slot, and gives back what it has not needed.
 * A piece that takes long holds its own slot and nobody else's.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Slots {
  readonly available: number
  readonly size: number
  /** Resolves when at least one is free: when several become so in one turn of the event loop, after them all. */
  free(): Promise<void>
  /** Takes as many as are free, at most `most`. Answers how many. */
  take(most: number): number
  /**
   * Takes so many as soon as they are free beside those that are left to others, in the order of who asks. False when
   * that does not come about within `withinMs`, or never can.
   */
  takeInTurn(count: number, options: { leave: number; withinMs: number }): Promise<boolean>
  /** Starts `work` in a slot that was taken; its end gives it back. What it rejects with goes to `onError`. */
  start(work: () => Promise<void>): void
  giveBack(count: number): void
  /** Resolves when nothing is in hand. */
  drained(): Promise<void>
}

/**
 * Claims as much as there are free slots: for each piece that was claimed a slot is taken, and `start` begins it there.
 * @param claim at most so many
 * @param countOf how many pieces were claimed
 */
export async function claimInSlots<T>(
  slots: Pick<Slots, 'size' | 'take' | 'giveBack'>,
  claim: (room: number) => Promise<T>,
  countOf: (claimed: T) => number,
): Promise<T> {
  const room = slots.take(slots.size)
  let count = 0
  try {
    const claimed = await claim(room)
    count = countOf(claimed)
    return claimed
  } finally {
    slots.giveBack(room - count)
  }
}

interface InLine {
  readonly count: number
  readonly leave: number
  /** On the clock of `performance.now()`. */
  readonly until: number
  readonly tell: (taken: boolean) => void
}

export function createSlots(size: number, onError: (error: unknown) => void): Slots {
  let taken = 0
  let waiting: { until: () => boolean; wake: () => void }[] = []
  let line: InLine[] = []
  let timer: NodeJS.Timeout | undefined
  /** When it rings, on the clock of `performance.now()`. */
  let nextEnd = Infinity
  const wait = (until: () => boolean): Promise<void> =>
    until() ? Promise.resolve() : new Promise((wake) => waiting.push({ until, wake }))

  function serveLine(): void {
    let served = 0
    for (const { count, leave, tell } of line) {
      if (size - taken - leave < count) break
      taken += count
      served += 1
      tell(true)
    }
    if (served > 0) line.splice(0, served)
  }

  /** One timer for the line: for the first wait that ends. */
  function endWaitsAt(until: number): void {
    if (until >= nextEnd) return
    clearTimeout(timer)
    nextEnd = until
    timer = setTimeout(endWaits, until - performance.now()).unref()
  }

  function endWaits(): void {
    nextEnd = Infinity
    const now = performance.now()
    const over = line.filter(({ until }) => until <= now)
    line = line.filter(({ until }) => until > now)
    for (const { tell } of over) tell(false)
    serveLine()
    endWaitsAt(line.reduce((first, { until }) => Math.min(first, until), Infinity))
  }

  function giveBack(count: number): void {
    taken -= count
    serveLine()
    if (waiting.length === 0) return
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
    take(most) {
      const count = Math.min(most, size - taken)
      taken += count
      return count
    },
    takeInTurn(count, { leave, withinMs }) {
      if (count + leave > size) return Promise.resolve(false)
      return new Promise((tell) => {
        const until = performance.now() + withinMs
        line.push({ count, leave, tell, until })
        serveLine()
        if (line.length > 0) endWaitsAt(until)
      })
    },
    start(work) {
      work()
        .catch(onError)
        .finally(() => giveBack(1))
    },
    giveBack,
    drained: () => wait(() => taken === 0),
  }
}
