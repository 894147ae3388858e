/** What became of each message that was published on a channel, however many are on their way at once. */
import type { ConfirmChannel, Message, Options } from 'amqplib'

export type Confirmation =
  | { readonly kind: 'confirmed' }
  /** No queue took it. The broker returns it, and then confirms it too. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'refused' }
  /** The channel ended before the broker said anything. */
  | { readonly kind: 'lost' }

/** amqplib's text is all that tells a nack from a lost channel. */
const NACKED = 'message nacked'

export class Confirms {
  readonly channel: ConfirmChannel
  readonly #returned = new Set<string>()
  #sent = 0
  #heardAt = performance.now()

  constructor(channel: ConfirmChannel) {
    this.channel = channel
    channel.on('return', (message: Message) => {
      this.#returned.add(String(message.properties.correlationId))
    })
  }

  /** When the broker last said yes or no to any message, in `performance.now()`'s time. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** Never rejects; may take for ever, until the channel ends. */
  publish(
    to: { readonly exchange: string; readonly key: string },
    content: Buffer,
    properties: Options.Publish,
  ): Promise<Confirmation> {
    this.#sent += 1
    const correlationId = String(this.#sent)
    return new Promise((resolve) => {
      const answered = (error: Error | null) => {
        const returned = this.#returned.delete(correlationId)
        const lost = error !== null && error.message !== NACKED
        if (!lost) this.#heardAt = performance.now()
        if (returned) resolve({ kind: 'returned' })
        else if (lost) resolve({ kind: 'lost' })
        else resolve({ kind: error === null ? 'confirmed' : 'refused' })
      }
      const all = { ...properties, correlationId }
      try {
        this.channel.publish(to.exchange, to.key, content, all, answered)
      } catch {
        resolve({ kind: 'lost' }) // the channel has just ended
      }
    })
  }
}
