/**
 * The questions about key-values that pacifica-metadata answers, by its routes:
 * `/tkvinfo/kv_for_transaction/<id>`, `/tkvinfo/values_for_key/<key>`, `/fileinfo/files_for_keyvalue/<key>/<value>`.
 */
import type { MetadataEntry } from './ingest-bundle.ts'
import { entriesFor } from './metadata-entries.ts'

type Transactions = ReadonlyMap<number, readonly MetadataEntry[]>

/** Undefined: there is no such route. What nobody knows is an empty answer, never an error. */
export function answerOf(transactions: Transactions, pathname: string): unknown {
  const [service, question, ...parts] = pathname.split('/').slice(1).map(decodeURIComponent)
  const [first, second] = parts
  if (first === undefined) return undefined
  switch (`${service}/${question}`) {
    case 'tkvinfo/kv_for_transaction':
      return Object.fromEntries(keyValuesOf(transactions.get(Number(first)) ?? []))
    case 'tkvinfo/values_for_key':
      return valuesFor(transactions, first)
    case 'fileinfo/files_for_keyvalue':
      return second === undefined ? undefined : filesWith(transactions, first, second)
  }
  return undefined
}

function keyValuesOf(entries: readonly MetadataEntry[]): (readonly [string, string])[] {
  return entriesFor(entries, 'TransactionKeyValue').map(({ key, value }) => [
    String(key),
    String(value),
  ])
}

/** Each value, with the numbers of the transactions that have it. */
function valuesFor(transactions: Transactions, wanted: string): Record<string, number[]> {
  const found: Record<string, number[]> = {}
  for (const [number, entries] of transactions) {
    for (const [key, value] of keyValuesOf(entries)) {
      if (key !== wanted) continue
      found[value] = [...(found[value] ?? []), number]
    }
  }
  return found
}

/** Whoever asks may write the key in capitals or not. */
function filesWith(transactions: Transactions, key: string, value: string): MetadataEntry[] {
  const has = (entries: readonly MetadataEntry[]) =>
    keyValuesOf(entries).some(
      (one) => one[0].toLowerCase() === key.toLowerCase() && one[1] === value,
    )
  return [...transactions]
    .filter(([, entries]) => has(entries))
    .flatMap(([number, entries]) =>
      entriesFor(entries, 'Files').map(({ destinationTable, ...file }) => ({
        ...file,
        transaction: number,
        suspense_date: null,
        encoding: 'UTF8',
      })),
    )
}
