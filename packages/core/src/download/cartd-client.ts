/** Cartd's four calls: order a cart, ask how it is, fetch it, delete it. */
import type { Readable } from 'node:stream'
import type { Scalar } from '../models/entries.ts'
import { ServiceAnswerError } from '../transfer/errors.ts'
import { type Answer, below, nameOf, type Service } from '../transfer/service.ts'
import { CartFailedError, CartUnknownError } from './errors.ts'

/** A file as Cartd wants it named; it requires every key. */
export interface OrderedFile {
  readonly id: Scalar
  readonly path: string
  readonly hashtype: string
  readonly hashsum: string
}

/** A cart that is not ready yet, in Cartd's words: `staging: …`. */
export interface CartInTheMaking {
  readonly said: string
}

export interface CartdClient {
  readonly url: URL
  /** Never with an empty list: such a cart is "staging" for ever. */
  order(id: string, files: readonly OrderedFile[], signal: AbortSignal): Promise<void>
  /** Undefined when it is ready. Throws `CartFailedError` or `CartUnknownError` when nothing will ever come of it. */
  state(id: string, signal: AbortSignal): Promise<CartInTheMaking | undefined>
  /** The tar, or why there is none yet. */
  open(id: string, signal: AbortSignal): Promise<Readable | CartInTheMaking>
  /** A cart that is not there is deleted. */
  remove(id: string, signal: AbortSignal): Promise<void>
}

export function cartdClient(service: Service): CartdClient {
  const cart = (id: string) => below(service.url, id)
  return {
    url: service.url,
    async order(id, files, signal) {
      const call = { method: 'POST', url: cart(id), json: { fileids: files }, signal } as const
      const answer = await service.ask(call)
      if (!isSuccess(answer)) throw new ServiceAnswerError(nameOf(call), answer.status, answer.text)
    },
    async state(id, signal) {
      const call = { method: 'HEAD', url: cart(id), signal } as const
      return stateOf(id, nameOf(call), await service.ask(call))
    },
    async open(id, signal) {
      const url = cart(id)
      url.searchParams.set('filename', 'data')
      const call = { method: 'GET', url, signal } as const
      const answer = await service.open(call)
      if (answer.body) return answer.body
      if (answer.status === 202) return { said: `202 ${answer.text.trim()}` }
      if (answer.status === 404) throw new CartUnknownError(id, service.url)
      throw new ServiceAnswerError(nameOf(call), answer.status, answer.text)
    },
    async remove(id, signal) {
      const call = { method: 'DELETE', url: cart(id), signal } as const
      const answer = await service.ask(call)
      if (isSuccess(answer) || answer.status === 404) return
      throw new ServiceAnswerError(nameOf(call), answer.status, answer.text)
    },
  }
}

/** A failed cart is a 500 like any other, but with Cartd's own headers. */
function stateOf(id: string, call: string, answer: Answer): CartInTheMaking | undefined {
  const status = headerOf(answer, 'x-pacifica-status')
  const message = headerOf(answer, 'x-pacifica-message')
  if (answer.status === 404) throw new CartUnknownError(id, call.replace(/^HEAD /, ''))
  if (status === 'error') throw new CartFailedError(id, message)
  if (!isSuccess(answer)) throw new ServiceAnswerError(call, answer.status, message)
  if (status === 'ready') return undefined
  const said = [status || 'no X-Pacifica-Status', message].filter((part) => part !== '')
  return { said: said.join(': ') }
}

function headerOf({ headers }: Answer, name: string): string {
  // Node reads headers as Latin-1; Python's servers write UTF-8 into them.
  return Buffer.from(String(headers[name] ?? ''), 'latin1').toString('utf8')
}

function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300
}
