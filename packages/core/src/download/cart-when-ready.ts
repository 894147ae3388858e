import type { Readable } from 'node:stream'
import type { Watch } from '../transfer/deadline.ts'
import { mayPass } from '../transfer/errors.ts'
import { type Pauses, pause, pauseBefore } from '../transfer/pause.ts'
import type { CartdClient, CartInTheMaking } from './cartd-client.ts'

/**
 * Asks until the cart is ready, and opens its tar. Cartd must be asked by HEAD first: GET says 202 of a failed cart for
 * ever. Only what Cartd had not said before counts as progress, so it is the transfer's `timeout` that ends a cart that
 * stands still, or a Cartd that no longer answers.
 */
export async function cartWhenReady(
  cartd: CartdClient,
  cart: string,
  pauses: Pauses,
  watch: Watch,
): Promise<Readable> {
  const heard = new Set<string>()
  for (let question = 1; ; question += 1) {
    const answer =
      (await state(cartd, cart, watch.signal)) ?? (await cartd.open(cart, watch.signal))
    if (!('said' in answer)) return answer
    if (!heard.has(answer.said)) watch.heard(answer.said)
    heard.add(answer.said)
    watch.doing(`waiting for cart ${cart}: ${answer.said}`)
    await pause(pauseBefore(question, pauses), watch.signal)
  }
}

/** The cart may have taken hours: a question without an answer is asked again. */
async function state(
  cartd: CartdClient,
  cart: string,
  signal: AbortSignal,
): Promise<CartInTheMaking | undefined> {
  try {
    return await cartd.state(cart, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (mayPass(error)) return { said: (error as Error).message }
    throw error
  }
}
