/** A folder that names from events and handlers are resolved in, and that none of them leaves. */
import { createWriteStream, type WriteStream } from 'node:fs'
import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { WorkspaceEscapeError } from './errors.ts'
import { whyNotOnWindows } from './windows-names.ts'

/**
 * A folder in which names that came from elsewhere can be used: what would leave it is refused, also by way of a link.
 */
export class Workspace {
  /** As it was given. */
  readonly folder: string

  /**
   * The folder must exist when a name is resolved.
   * @param folder its path
   */
  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * The path of `name`, a relative path with `/` between, below the folder; it need not exist yet. Throws
   * `WorkspaceEscapeError` when it is absolute, has a `..` or a NUL, or passes a link that leaves or leads nowhere; on
   * Windows also for a name that Windows reads as something else (`whyNotOnWindows`).
   * @param name such as `a/b.txt`
   */
  async inside(name: string): Promise<string> {
    const segments = segmentsOf(name)
    const real = await realpath(this.folder)
    const target = join(this.folder, ...segments)
    const place = await realPlace(target)
    if (place !== real && place.startsWith(real.endsWith(sep) ? real : real + sep)) return target
    throw new WorkspaceEscapeError(name, 'passes a link that leaves the folder or leads nowhere')
  }

  /**
   * A new file for writing, its folders made as needed. The stream fails with EEXIST when the file is there already.
   * @param name such as `a/b.txt`. Throws what `inside` throws.
   */
  async create(name: string): Promise<WriteStream> {
    const path = await this.inside(name)
    await mkdir(dirname(path), { recursive: true })
    return createWriteStream(path, { flags: 'wx' })
  }
}

/** What can be said of a name without a folder. Throws `WorkspaceEscapeError`. */
export function checkName(name: string): void {
  segmentsOf(name)
}

function segmentsOf(name: string): string[] {
  const refuse = (reason: string): never => {
    throw new WorkspaceEscapeError(name, reason)
  }
  if (name.includes('\0')) refuse('contains a NUL')
  if (name.startsWith('/')) refuse('is absolute')
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..')) refuse('contains ".."')
  if (segments.length === 0) refuse('names no file')
  const odd = sep === '\\' ? segments.map(whyNotOnWindows).find(Boolean) : undefined
  if (odd !== undefined) refuse(odd)
  return segments
}

/**
 * Where a path really is, links resolved; of what does not exist yet, the last part that does, and the rest as written.
 * A link to nothing is nowhere: whoever writes there would write wherever it leads.
 */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    if (await isLink(path)) return ''
    const parent = dirname(path)
    const place = await realPlace(parent)
    return place && join(place, path.slice(parent.length))
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  )
}
