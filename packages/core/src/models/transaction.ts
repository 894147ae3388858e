import type { Event } from '../events/event.ts'
import { entriesFor, entryReader, type Scalar } from './entries.ts'
import { TransactionDuplicateAttributeError } from './errors.ts'

/** What may be known of a transaction. */
export interface TransactionAttributes {
  /** Ingest assigns it: never set in what is uploaded. */
  readonly _id?: Scalar | undefined
  /** Who handed the data in: the user's id at Metadata. */
  readonly submitter?: Scalar | undefined
  /** The project's id at Metadata. */
  readonly project?: Scalar | undefined
  /** The instrument's id at Metadata. */
  readonly instrument?: Scalar | undefined
  /** The tool that made the data, by its id at Metadata. */
  readonly analytical_tool?: Scalar | undefined
  /** In words. */
  readonly description?: Scalar | undefined
  /** When the data may be published: free text. */
  readonly suspense_date?: Scalar | undefined
}

/** The transaction that an event speaks of, or the one that an upload is to make. */
export class Transaction implements TransactionAttributes {
  readonly _id: Scalar | undefined
  readonly submitter: Scalar | undefined
  readonly project: Scalar | undefined
  readonly instrument: Scalar | undefined
  readonly analytical_tool: Scalar | undefined
  readonly description: Scalar | undefined
  readonly suspense_date: Scalar | undefined

  /** @param attributes what is known of it */
  constructor(attributes: TransactionAttributes) {
    this._id = attributes._id
    this.submitter = attributes.submitter
    this.project = attributes.project
    this.instrument = attributes.instrument
    this.analytical_tool = attributes.analytical_tool
    this.description = attributes.description
    this.suspense_date = attributes.suspense_date
  }

  /**
   * The event's transaction; without attributes when the event has none. A `Transactions.proposal`, as older Metadata
   * wrote, is the project. Throws `TransactionDuplicateAttributeError` when an attribute is given twice.
   * Throws `EventFieldError` for a value that is no text, number or boolean.
   * @param event such as Metadata sends when a transaction has been ingested
   */
  static fromEvent(event: Event): Transaction {
    const take = (attribute: string): Scalar | undefined => attributeValue(event, attribute)
    const proposal = take('proposal')
    return new Transaction({
      _id: take('_id'),
      submitter: take('submitter'),
      project: take('project') ?? proposal,
      instrument: take('instrument'),
      analytical_tool: take('analytical_tool'),
      description: take('description'),
      suspense_date: take('suspense_date'),
    })
  }
}

function attributeValue(event: Event, attribute: string): Scalar | undefined {
  const table = `Transactions.${attribute}`
  const entries = entriesFor(event, table).filter((entry) => Object.hasOwn(entry, 'value'))
  if (entries.length > 1) throw new TransactionDuplicateAttributeError(attribute, event)
  return entries[0] && entryReader(event, table, entries[0]).scalar('value')
}
