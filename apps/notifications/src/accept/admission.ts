/**
 * Bodies of /receive in hand at once, in bytes: a request waits unread, in its socket, until there is room, so that
 * memory is bounded however many senders there are, and nobody is turned away for that. Small bodies and large ones have
 * a budget each: who sends a large one slowly makes no usual event wait.
 */
import { createBudget } from '@pacifica/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Each budget is so many of the largest bodies. */
const BODIES = 4
const SMALL = 256 * 1024

export interface Admission {
  /** For `onRequest`: before the body is read. */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<void>
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
    async admit({ headers }, { raw: response }) {
      const size = sizeOf(headers['content-length'], maxBody)
      const gone = new AbortController()
      const leave = () => gone.abort()
      response.once('close', leave)
      const giveBack = await (size > SMALL ? large : small).take(size, gone.signal)
      response.off('close', leave)
      if (giveBack === undefined) return // the sender has hung up: nothing will be read
      response.once('finish', giveBack).once('close', giveBack)
    },
  }
}

/** Of a request that does not say its length the largest is assumed. */
function sizeOf(given: string | undefined, maxBody: number): number {
  const length = Number(given ?? maxBody)
  return Number.isFinite(length) ? Math.min(Math.max(length, 0), maxBody) : maxBody
}
