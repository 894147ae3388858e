/**
 * Where a result comes from: key-values for every bundle that a task uploads. They name the task, the transactions that
 * it worked on, and the dispatchers that the data has been through so far, the oldest first, so that a result which
 * comes round again can be known (loop-guard.ts).
 *
 * They come back as key-values of an event, which anybody can write: whatever stands there is read, and nothing throws.
 */
import {
  DISPATCHER_NAME_PATTERN,
  type Event,
  Transaction,
  TransactionKeyValue,
} from '@pacifica/core'

export const PROVENANCE_KEYS = {
  task: 'pacifica-dispatcher.task',
  sourceTransaction: 'pacifica-dispatcher.source-transaction',
  /** Names, separated by commas, which no name contains. A long chain is several of them, one after the other. */
  chain: 'pacifica-dispatcher.chain',
} as const

/** What Metadata's column for values holds: one character more, and Ingest fails the job. */
const MAX_VALUE = 255
/** The newest names that a result notes. More than this only a route that allows loops, or a forger, brings together. */
const MAX_NOTED = 64

const OURS: ReadonlySet<string> = new Set(Object.values(PROVENANCE_KEYS))

export function provenanceOf(origin: {
  readonly dispatcher: string
  readonly taskId: string
  /** What it works on: one, or those of a join. */
  readonly events: readonly Event[]
}): TransactionKeyValue[] {
  const { dispatcher, taskId, events } = origin
  const transactions = events.map(transactionOf).filter((id) => id !== undefined)
  const chain = [...new Set([...chainOfAll(events), dispatcher])].slice(-MAX_NOTED)
  const note = (key: string, value: string) => new TransactionKeyValue({ key, value })
  return [
    note(PROVENANCE_KEYS.task, taskId),
    ...[...new Set(transactions.map(String))].map((id) =>
      note(PROVENANCE_KEYS.sourceTransaction, id),
    ),
    ...inValues(chain).map((value) => note(PROVENANCE_KEYS.chain, value)),
  ]
}

/** A result's key-values with its provenance. A handler that hands on its input's does not hand on where that came from. */
export function withProvenance(
  keyValues: readonly TransactionKeyValue[],
  provenance: readonly TransactionKeyValue[],
): TransactionKeyValue[] {
  return [...keyValues.filter(({ key }) => !OURS.has(key ?? '')), ...provenance]
}

/**
 * The dispatchers that the event's data has been through, each once, in the order in which they first occur; none when
 * nobody noted any. What can be no dispatcher's name is not in it: no dispatcher wrote that.
 */
export function chainOf(event: Event): string[] {
  const names = entriesOf(event)
    .filter((entry) => entry['destinationTable'] === 'TransactionKeyValue')
    .filter((entry) => entry['key'] === PROVENANCE_KEYS.chain)
    .flatMap(({ value }) => (typeof value === 'string' ? value.split(',') : []))
    .map((name) => name.trim())
  return [...new Set(names.filter((name) => DISPATCHER_NAME_PATTERN.test(name)))]
}

/** Of several events, each dispatcher once. */
export function chainOfAll(events: readonly Event[]): string[] {
  return [...new Set(events.flatMap(chainOf))]
}

/** Not by TransactionKeyValue.fromEvent: one faulty entry among an event's key-values must not hide the chain. */
function entriesOf({ data }: Event): Record<string, unknown>[] {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return []
  return Object.values(data).filter((entry) => typeof entry === 'object' && entry !== null)
}

/** Names joined by commas, in as few values as hold them. */
function inValues(names: readonly string[]): string[] {
  const values: string[] = []
  for (const name of names) {
    const last = values.at(-1)
    if (last === undefined || last.length + 1 + name.length > MAX_VALUE) values.push(name)
    else values[values.length - 1] = `${last},${name}`
  }
  return values
}

/** An event need not be about a transaction at all; whether a faulty one matters is the handler's to say. */
function transactionOf(event: Event): Transaction['_id'] {
  try {
    return Transaction.fromEvent(event)._id
  } catch {
    return undefined
  }
}
