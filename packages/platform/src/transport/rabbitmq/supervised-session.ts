/**
 * A session that is renewed for as long as it is wanted. amqplib's own recovery brings back a connection, but neither
 * its channels nor their consumers, so it is not used: here whatever ends one of the three ends the session, and the
 * next one is set up anew, declarations included.
 */
import type { ConfirmChannel } from 'amqplib'
import { backoff } from '../../runtime/backoff.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import { openSession, type Session, type SessionOptions, type SetUp } from './session.ts'

export interface SupervisedOptions extends SessionOptions {
  readonly reconnect: { readonly firstMs: number; readonly maxMs: number }
}

type State =
  /** No attempt has failed since the start, or since it was open last. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly session: Session }
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'closed' }

/** After a session that lasted this long the waits begin anew. */
const STEADY_MS = 10_000

export class SupervisedSession {
  readonly #log: Log
  readonly #setUp: SetUp
  readonly #options: SupervisedOptions
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #state: State = { kind: 'opening' }
  #waiting: (() => void)[] = []

  constructor(needs: { log: Log; setUp: SetUp }, options: SupervisedOptions) {
    this.#log = needs.log.child({ broker: options.address.place, connection: options.name })
    this.#setUp = needs.setUp
    this.#options = options
    this.#running = this.#run()
  }

  /** Undefined while there is none. */
  get channel(): ConfirmChannel | undefined {
    return this.#state.kind === 'open' ? this.#state.session.channel : undefined
  }

  trouble(): string | undefined {
    const { place } = this.#options.address
    switch (this.#state.kind) {
      case 'opening':
        return `connecting to the broker at ${place}`
      case 'failing':
        return `no connection to the broker at ${place}: ${this.#state.reason}`
      case 'closed':
        return 'the transport is closed'
      case 'open': {
        const { blocked } = this.#state.session
        return blocked === undefined ? undefined : `the broker takes no messages: ${blocked}`
      }
    }
  }

  /** Waits for an attempt that is being made, not for one after a failure: then there is a channel, or trouble. */
  settled(): Promise<void> {
    if (this.#state.kind !== 'opening') return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Gives up the session that `channel` belongs to; a new one follows. */
  renew(channel: ConfirmChannel, reason: string): void {
    if (this.#state.kind === 'open' && this.#state.session.channel === channel)
      this.#state.session.end(reason)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#state.kind === 'open') this.#state.session.end('closed')
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    for (let attempt = 1; !signal.aborted; ) {
      const lastedMs = await this.#live(signal)
      await sleep(backoff(attempt, this.#options.reconnect, Math.random), signal)
      attempt = lastedMs > STEADY_MS ? 1 : attempt + 1
    }
    this.#enter({ kind: 'closed' })
  }

  /** From an attempt to the loss of what it gave; resolves with how many milliseconds that was. */
  async #live(signal: AbortSignal): Promise<number> {
    const startedAt = performance.now()
    try {
      const needs = { log: this.#log, setUp: this.#setUp }
      const session = await openSession(needs, this.#options, signal)
      this.#log.info({ ms: Math.round(performance.now() - startedAt) }, 'broker.connected')
      this.#enter({ kind: 'open', session })
      const reason = await session.over
      if (!signal.aborted) {
        this.#enter({ kind: 'opening' })
        this.#log.warn({ reason }, 'broker.lost')
      }
      await session.close()
    } catch (error) {
      if (!signal.aborted) this.#failed(error instanceof Error ? error.message : String(error))
    }
    return performance.now() - startedAt
  }

  #failed(reason: string): void {
    const known = this.#state.kind === 'failing' && this.#state.reason === reason
    this.#enter({ kind: 'failing', reason })
    this.#log[known ? 'debug' : 'warn']({ reason }, 'broker.not_connected')
  }

  #enter(state: State): void {
    this.#state = state
    if (state.kind === 'opening') return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
