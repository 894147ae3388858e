/**
 * Bodies of /receive in hand at once, in bytes: a request waits unread, in its socket, until there is room, so that
 * memory is bounded however many senders there are, and nobody is turned away for that. Small bodies and large ones have
 * a budget each: who sends a large one slowly makes no usual event wait.
 */
import type { ServerResponse } from 'node:http'
import { type Budget, createBudget } from '@pacifica/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Each budget is so many of the largest bodies. */
const BODIES = 4
const SMALL = 256 * 1024

type AdmittedRequest = Pick<FastifyRequest, 'headers'>

export interface Admission {
  /** For `onRequest`: before the body is read. `enter` is called at once, or when there is room. */
  admit(request: AdmittedRequest, reply: Pick<FastifyReply, 'raw'>, enter: () => void): void
  /** Requests that wait. */
  readonly waiting: number
}

export function admission(options: { maxBody: number }): Admission {
  const { maxBody } = options
  const [small, large] = [createBudget(BODIES * maxBody), createBudget(BODIES * maxBody)]
  return {
    get waiting() {
      return small.waiting + large.waiting
    },
    admit({ headers }, { raw: response }, enter) {
      const size = sizeOf(headers['content-length'], maxBody)
      const budget = size > SMALL ? large : small
      const giveBack = budget.takeNow(size)
      if (giveBack === undefined) return void waitFor(budget, size, response).then(enter)
      response.on('close', giveBack)
      enter()
    },
  }
}

async function waitFor(budget: Budget, size: number, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  response.once('close', leave)
  const giveBack = await budget.take(size, gone.signal)
  response.off('close', leave)
  if (giveBack === undefined) return // the sender has hung up: nothing will be read
  response.once('close', giveBack)
}

/** Of a request that does not say its length the largest is assumed. */
function sizeOf(given: string | undefined, maxBody: number): number {
  const length = Number(given ?? maxBody)
  return Number.isFinite(length) ? Math.min(Math.max(length, 0), maxBody) : maxBody
}
