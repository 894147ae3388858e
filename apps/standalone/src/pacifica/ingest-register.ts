/**
 * The end of Ingest's job: numbers for the transaction and its files, the files into the archive (where Cartd finds
 * them), everything else to Metadata.
 */
import type { ArchivedFile } from './cartd.ts'
import type { MetadataEntry, ReadBundle } from './ingest-bundle.ts'
import { traceback } from './ingest-faults.ts'

/** Where bundles go; without one, Ingest only keeps what it got. */
export interface Registry {
  /** What Cartd serves. */
  readonly archive: ArchivedFile[]
  /** Metadata's URL. */
  readonly metadata: string
  /** The next numbers; counted on here. */
  nextTransaction: number
  nextFile: number
}

/** Resolves to what Metadata had against it, as Python prints it; undefined when it took it. */
export async function register(
  bundle: ReadBundle,
  registry: Registry,
  ended: AbortSignal,
): Promise<string | undefined> {
  const transaction = registry.nextTransaction
  registry.nextTransaction += 1
  const entries = bundle.metadata.map((entry) =>
    entry['destinationTable'] === 'Files' ? archived(entry, bundle, registry) : entry,
  )
  const last = { destinationTable: 'Transactions._id', value: transaction }
  try {
    const response = await fetch(`${registry.metadata}/ingest`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([...entries, last]),
      signal: ended,
    })
    const said = await response.text()
    if (response.ok) return undefined
    return traceback(`requests.exceptions.HTTPError: ${response.status} Server Error: ${said}`)
  } catch (error) {
    return traceback(`requests.exceptions.ConnectionError: ${error}`)
  }
}

function archived(entry: MetadataEntry, bundle: ReadBundle, registry: Registry): MetadataEntry {
  const id = registry.nextFile
  registry.nextFile += 1
  const path = [entry['subdir'], entry['name']].filter((part) => part !== '').join('/')
  const member = bundle.members.find(({ name }) => name === `data/${path}`)
  if (member !== undefined) registry.archive.push({ id, path, content: member.content })
  return { _id: id, ...entry }
}
