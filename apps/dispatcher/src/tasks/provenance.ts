/**
 * Where a result comes from: key-values for every bundle that a task uploads. They name the task, the transaction that
 * it worked on, and the dispatchers that the data has been through so far, the oldest first, so that a result which
 * comes round again can be known.
 */
import { type Event, Transaction, TransactionKeyValue } from '@pacifica/core'

export const PROVENANCE_KEYS = {
  task: 'pacifica-dispatcher.task',
  sourceTransaction: 'pacifica-dispatcher.source-transaction',
  /** Names, separated by commas, which no name contains. */
  chain: 'pacifica-dispatcher.chain',
} as const

export function provenanceOf(origin: {
  readonly dispatcher: string
  readonly taskId: string
  readonly event: Event
}): TransactionKeyValue[] {
  const { dispatcher, taskId, event } = origin
  const transaction = readable(() => Transaction.fromEvent(event)._id)
  const chain = [...chainOf(event), dispatcher].join(',')
  return [
    new TransactionKeyValue({ key: PROVENANCE_KEYS.task, value: taskId }),
    ...(transaction === undefined
      ? []
      : [
          new TransactionKeyValue({
            key: PROVENANCE_KEYS.sourceTransaction,
            value: String(transaction),
          }),
        ]),
    new TransactionKeyValue({ key: PROVENANCE_KEYS.chain, value: chain }),
  ]
}

/** A result's key-values with its provenance. A handler that hands on its input's does not hand on where that came from. */
export function withProvenance(
  keyValues: readonly TransactionKeyValue[],
  provenance: readonly TransactionKeyValue[],
): TransactionKeyValue[] {
  const ours: ReadonlySet<string | undefined> = new Set(Object.values(PROVENANCE_KEYS))
  return [...keyValues.filter(({ key }) => !ours.has(key)), ...provenance]
}

/** The dispatchers that the event's data has been through; none when nobody noted any. */
export function chainOf(event: Event): string[] {
  const notes = readable(() => TransactionKeyValue.fromEvent(event)) ?? []
  return notes
    .filter(({ key }) => key === PROVENANCE_KEYS.chain)
    .flatMap(({ value }) => String(value ?? '').split(','))
    .filter((name) => name !== '')
}

/** An event need not be about a transaction at all; whether a faulty one matters is the handler's to say. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
