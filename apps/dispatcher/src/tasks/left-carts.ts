/**
 * Deletes the carts that runs have left: of a process that was killed while a cart was on its way, or when Cartd did not
 * answer in time. Every cart is a row before it is ordered (cart-store.ts), so none is forgotten.
 */
import {
  type Bell,
  createBell,
  type Database,
  type Lifetime,
  type Log,
  workLoop,
} from '@pacifica/platform'
import type { Runners } from '../runners.ts'
import { forgetCart, type LeftCart, leftCarts } from './cart-store.ts'

const BATCH = 20
const IDLE_MS = 60_000
/** Cartd itself throws old carts away when it needs the space. */
const HOPELESS_MS = 7 * 86_400_000

export interface LeftCartNeeds {
  readonly left: () => Promise<LeftCart[]>
  readonly forget: (cart: string) => Promise<void>
  /** Undefined: there is no Cartd to ask any more. */
  readonly remove: Runners['removeCart']
  readonly log: Log
  /** Ends what is waited for. */
  readonly signal: AbortSignal
}

/** One look: true when there may be more. Ends at the first cart that cannot be deleted, for the others will not be either. */
export function leftCartStep(needs: LeftCartNeeds): () => Promise<boolean> {
  const { left, forget, log } = needs
  return async () => {
    const carts = await left()
    for (const { cart, task, hopeless } of carts) {
      const error = await removed(needs, cart)
      if (error !== undefined && !hopeless) {
        log.warn({ err: error, cart, task }, 'cart.not_deleted')
        return false
      }
      await forget(cart)
      if (error === undefined) log.info({ cart, task }, 'cart.deleted_late')
      else log.error({ err: error, cart, task }, 'cart.given_up')
    }
    return carts.length === BATCH
  }
}

async function removed({ remove, signal }: LeftCartNeeds, cart: string): Promise<unknown> {
  try {
    await remove?.(cart, signal)
    return undefined
  } catch (error) {
    return error
  }
}

/** Starts looking. Ring the bell when a task is begun that was begun before. */
export function openLeftCarts(parts: {
  readonly life: Lifetime
  readonly log: Log
  readonly database: Database
  readonly runners: Pick<Runners, 'removeCart'>
}): Pick<Bell, 'ring'> {
  const { life, log, database, runners } = parts
  const bell = createBell()
  const closing = new AbortController()
  const step = leftCartStep({
    left: () => leftCarts(database, { limit: BATCH, hopelessMs: HOPELESS_MS }),
    forget: (cart) => forgetCart(database, cart),
    remove: runners.removeCart,
    log,
    signal: closing.signal,
  })
  const loop = workLoop(step, { name: 'carts', signal: closing.signal, bell, idleMs: IDLE_MS, log })
  life.onClose('carts', async () => {
    closing.abort()
    await loop
  })
  return bell
}
