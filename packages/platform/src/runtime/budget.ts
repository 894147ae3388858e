/**
 * A budget, of bytes for example: whoever wants some waits until there is enough, in the order of asking. What is larger
 * than the whole budget gets in alone.
 */
export interface Budget {
  /** What is taken at present. */
  readonly taken: number
  /** Those who wait. */
  readonly waiting: number
  /**
   * Resolves when the amount is taken, with what gives it back (once, however often it is called); undefined when
   * `signal` aborts first: nothing is taken then.
   */
  take(amount: number, signal: AbortSignal): Promise<(() => void) | undefined>
  /** The same where nobody has to wait; undefined when one would have to. */
  takeNow(amount: number): (() => void) | undefined
}

export function createBudget(most: number): Budget {
  let taken = 0
  const queue = new Set<{ readonly amount: number; readonly enter: () => void }>()
  const fits = (amount: number) => taken === 0 || taken + amount <= most
  const admit = () => {
    for (const waiter of queue) {
      if (!fits(waiter.amount)) return
      queue.delete(waiter)
      waiter.enter()
    }
  }
  const hold = (amount: number) => {
    taken += amount
    let held = true
    return () => {
      if (!held) return
      held = false
      taken -= amount
      admit()
    }
  }
  const takeNow = (amount: number) => (queue.size === 0 && fits(amount) ? hold(amount) : undefined)
  return {
    takeNow,
    get taken() {
      return taken
    },
    get waiting() {
      return queue.size
    },
    take(amount, signal) {
      if (signal.aborted) return Promise.resolve(undefined)
      const giveBack = takeNow(amount)
      if (giveBack !== undefined) return Promise.resolve(giveBack)
      return new Promise((resolve) => {
        const leave = () => {
          queue.delete(waiter)
          resolve(undefined)
          admit() // those behind may be smaller
        }
        const waiter = {
          amount,
          enter() {
            signal.removeEventListener('abort', leave)
            resolve(hold(amount))
          },
        }
        queue.add(waiter)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
