/** From a path that somebody gave to the file that is meant: also for the service, which imports this by itself. */
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ModuleError } from './errors.ts'

/**
 * The file itself, or what a folder's package.json names. Throws `ModuleError` when it is not there.
 * @param path of a file, or of a folder with a package.json
 */
export async function entryFile(path: string): Promise<string> {
  const file = (await kindOf(path)) === 'folder' ? await entryOf(path) : path
  if ((await kindOf(file)) === 'file') return file
  throw new ModuleError(
    `${file} is not there: build the project first (npm run build), or name another module`,
  )
}

export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  return stat(path).then(
    (stats) => (stats.isDirectory() ? 'folder' : 'file'),
    () => undefined,
  )
}

/** What a project's package.json names: its `exports`, else its `main`. */
async function entryOf(folder: string): Promise<string> {
  const path = join(folder, 'package.json')
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ModuleError(`${path} is not there; name the module, such as dist/index.js`, { cause })
  })
  try {
    const { exports, main } = JSON.parse(text) as { exports?: unknown; main?: unknown }
    const entry = target(exports) ?? main ?? 'index.js'
    return resolve(folder, String(entry))
  } catch (cause) {
    throw new ModuleError(`${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function target(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const conditions = exports as Readonly<Record<string, unknown>>
  const found = ['.', 'node', 'import', 'default'].find((name) => Object.hasOwn(conditions, name))
  return found === undefined ? undefined : target(conditions[found])
}
