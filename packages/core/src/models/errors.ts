import type { Event } from '../events/event.ts'

/** An event is well-formed, but what it says of files and transactions cannot be used. */
export class EventError extends Error {
  override readonly name: string = 'EventError'
  readonly code: string = 'EVENT_CONTENT'
  /** Undefined when the attributes did not come from an event. */
  readonly event: Event | undefined

  constructor(message: string, event: Event | undefined) {
    super(message)
    this.event = event
  }
}

/** A transaction's attribute is given twice, or one is given that is not the sender's to give. */
export class TransactionDuplicateAttributeError extends EventError {
  override readonly name = 'TransactionDuplicateAttributeError'
  override readonly code = 'TRANSACTION_DUPLICATE_ATTRIBUTE'
  /** Such as `submitter`. */
  readonly attribute: string

  constructor(attribute: string, event: Event | undefined) {
    super(`field 'Transactions.${attribute}' is already defined`, event)
    this.attribute = attribute
  }
}

/** A field of a file, transaction or key-value is missing or of the wrong kind. */
export class EventFieldError extends EventError {
  override readonly name = 'EventFieldError'
  override readonly code = 'EVENT_FIELD'
  /** The table and the field: `Files: "size"`. */
  readonly field: string

  constructor(field: string, reason: string, event: Event | undefined) {
    super(`${field} ${reason}`, event)
    this.field = field
  }
}
