/** Reads a result bundle back, member by member, and holds it against its own metadata. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'

export interface BundleMember {
  readonly name: string
  readonly size: number
  /** Recomputed from the bytes in the bundle. */
  readonly sha1: string
}

export interface Bundle {
  /** The files, `metadata.txt` not among them. */
  readonly members: readonly BundleMember[]
  readonly metadata: readonly MetadataEntry[]
}

export interface MetadataEntry {
  readonly destinationTable: string
  readonly [name: string]: unknown
}

export class BrokenBundleError extends Error {
  readonly code = 'DEMO_BUNDLE'
}

/** Throws BrokenBundleError when a member is not what the metadata says, or one of them lacks the other. */
export async function readBundle(path: string): Promise<Bundle> {
  const members: BundleMember[] = []
  let metadata = ''
  const unpack = extract()
  const reading = (async () => {
    for await (const entry of unpack) {
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      const bytes = Buffer.concat(chunks)
      const { name } = entry.header
      if (name === 'metadata.txt') metadata = bytes.toString('utf8')
      else members.push({ name, size: bytes.length, sha1: sha1(bytes) })
    }
  })()
  await Promise.all([pipeline(createReadStream(path), unpack), reading])
  if (metadata === '') throw new BrokenBundleError(`${path} has no metadata.txt`)
  const bundle: Bundle = { members, metadata: JSON.parse(metadata) }
  compare(path, bundle)
  return bundle
}

export function sha1(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex')
}

function compare(path: string, { members, metadata }: Bundle): void {
  const files = metadata.filter((entry) => entry.destinationTable === 'Files')
  const said = files.map(
    ({ subdir, name, size, hashsum }) =>
      `data/${subdir === '' ? '' : `${subdir}/`}${name} ${size} ${hashsum}`,
  )
  const found = members.map(({ name, size, sha1 }) => `${name} ${size} ${sha1}`)
  const differing = [
    ...said.filter((line) => !found.includes(line)),
    ...found.filter((line) => !said.includes(line)),
  ]
  if (differing.length > 0)
    throw new BrokenBundleError(`${path} is not what its metadata says: ${differing.join('; ')}`)
}
