/**
 * Bodies of /receive in hand at once, in bytes: a request waits unread, in its socket, until there is room, so that
 * memory is bounded however many senders there are, and nobody is turned away for that. Small bodies and large ones have
 * a budget each: who sends a large one slowly makes no usual event wait.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Budget, createBudget } from '@pacifica/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Each budget is so many of the largest bodies. */
const BODIES = 4
const SMALL = 256 * 1024

interface AdmittedRequest extends Pick<FastifyRequest, 'headers'> {
  readonly raw: Pick<IncomingMessage, 'socket'>
}

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
    admit({ headers, raw: { socket } }, { raw: response }, enter) {
      const size = sizeOf(headers['content-length'], maxBody)
      const budget = size > SMALL ? large : small
      const giveBack = budget.takeNow(size)
      if (giveBack === undefined) {
        const atTheEnd = (end: () => void) => whenOver(response, socket, end)
        return void waitFor(budget, size, atTheEnd).then(enter)
      }
      whenOver(response, socket, giveBack)
      enter()
    },
  }
}

async function waitFor(
  budget: Budget,
  size: number,
  atTheEnd: (end: () => void) => void,
): Promise<void> {
  const over = new AbortController()
  atTheEnd(() => over.abort())
  const giveBack = await budget.take(size, over.signal)
  if (giveBack === undefined) return // the sender has hung up: nothing will be read
  if (over.signal.aborted) giveBack()
  else over.signal.addEventListener('abort', giveBack)
}

const inHand = new WeakMap<Socket, Set<() => void>>()

/**
 * The response's end, or its connection's: of requests that were sent one behind the other, only the first one's response
 * is told that the connection is gone. `end` may be called twice.
 */
function whenOver(response: ServerResponse, socket: Socket, end: () => void): void {
  const ends = inHand.get(socket) ?? beginOn(socket)
  ends.add(end)
  response.on('close', () => {
    ends.delete(end)
    end()
  })
}

function beginOn(socket: Socket): Set<() => void> {
  const ends = new Set<() => void>()
  inHand.set(socket, ends)
  socket.on('close', () => {
    for (const end of ends) end()
  })
  return ends
}

/** Of a request that does not say its length the largest is assumed. */
function sizeOf(given: string | undefined, maxBody: number): number {
  const length = Number(given ?? maxBody)
  return Number.isFinite(length) ? Math.min(Math.max(length, 0), maxBody) : maxBody
}
