/** Which files a bundle will have: everything below a folder, with sizes, before the first byte is sent. */
import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { BundleEntryError } from './errors.ts'

/** So many are looked at together. */
const AT_ONCE = 32

/** A file that a bundle will have, as `listFiles` found it. */
export interface BundleFile {
  /** Below the folder, with `/` between. */
  readonly path: string
  /** Where it is read from. */
  readonly location: string
  /** In bytes. */
  readonly size: number
  /** When its content was changed last: `ctime` and `mtime` of the bundle. */
  readonly modified: Date
}

/**
 * All files below `folder`, sorted by path; empty folders leave no trace. A link to a file counts as that file if it
 * stays in the folder. Throws `BundleEntryError` for other links, sockets and such, and names that are not UTF-8.
 * @param folder the folder whose files are to be bundled; it must exist
 */
export async function listFiles(folder: string): Promise<BundleFile[]> {
  const root = await realpath(folder)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const found = entries.filter((entry) => !entry.isDirectory())
  const files: BundleFile[] = []
  for (let from = 0; from < found.length; from += AT_ONCE) {
    const some = found.slice(from, from + AT_ONCE).map((entry) => describe(root, entry))
    for (const file of await Promise.all(some)) files.push(file)
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function describe(root: string, entry: Dirent): Promise<BundleFile> {
  const location = join(entry.parentPath, entry.name)
  const path = relative(root, location).split(sep).join('/')
  const real = entry.isSymbolicLink() ? await resolveLink(root, path, location) : location
  const stats = await stat(real).catch((cause) => {
    throw unreadable(path, cause)
  })
  if (!stats.isFile()) throw new BundleEntryError(path, 'it is neither a file nor a link to one')
  return { path, location: real, size: stats.size, modified: stats.mtime }
}

async function resolveLink(root: string, path: string, location: string): Promise<string> {
  const real = await realpath(location).catch((cause) => {
    throw unreadable(path, cause)
  })
  if (real.startsWith(root + sep)) return real
  throw new BundleEntryError(path, 'it is a link that leaves the folder')
}

function unreadable(path: string, cause: unknown): BundleEntryError {
  // readdir writes U+FFFD for bytes that are no UTF-8, and such a name cannot be opened again.
  const garbled = path.includes('\uFFFD')
  const reason = garbled ? 'its name is not valid UTF-8' : 'it is a link to nothing, or gone'
  return new BundleEntryError(path, reason, { cause })
}
