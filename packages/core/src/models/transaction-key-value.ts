import type { Event } from '../events/event.ts'
import { entriesFor, entryReader, type Scalar } from './entries.ts'

/** A key-value of a transaction. Python knows both as optional; Metadata always sends both. */
export interface TransactionKeyValueAttributes {
  /** What is noted. */
  readonly key?: string | undefined
  /** Mostly text. */
  readonly value?: Scalar | undefined
}

/** A key and a value that somebody noted on a transaction. The same key may occur several times. */
export class TransactionKeyValue implements TransactionKeyValueAttributes {
  readonly key: string | undefined
  readonly value: Scalar | undefined

  /** @param attributes the key and the value */
  constructor(attributes: TransactionKeyValueAttributes) {
    this.key = attributes.key
    this.value = attributes.value
  }

  /**
   * The event's key-values, in its order; none when its `data` has none.
   * Throws `EventFieldError` for a field of the wrong kind.
   * @param event such as Metadata sends when a transaction has been ingested
   */
  static fromEvent(event: Event): TransactionKeyValue[] {
    return entriesFor(event, 'TransactionKeyValue').map((entry) => {
      const read = entryReader(event, 'TransactionKeyValue', entry)
      return new TransactionKeyValue({ key: read.text('key'), value: read.scalar('value') })
    })
  }
}
