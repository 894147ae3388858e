/** From MODULE to the author's dispatcher. */
import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Dispatcher, isDispatcher } from '../handlers/define-dispatcher.ts'
import { ModuleError } from './errors.ts'

export interface Loaded {
  readonly dispatcher: Dispatcher
  /** The file that it is in. */
  readonly file: string
}

/** @param module a file, a folder with a package.json, or a package's name. Throws `ModuleError`. */
export async function loadModule(module: string, folder: string): Promise<Loaded> {
  const file = await fileOf(module, folder)
  if ((await kindOf(file)) !== 'file') {
    throw new ModuleError(
      `${file} is not there: build the project first (npm run build), or name another module`,
    )
  }
  const exported = await load(file)
  const dispatcher: unknown = Reflect.get(exported, 'default')
  if (isDispatcher(dispatcher) && Array.isArray(dispatcher.router.routes)) {
    return { dispatcher, file }
  }
  const hint = 'export default defineDispatcher({ name, routes })'
  throw new ModuleError(`the default export of ${file} is no dispatcher; write: ${hint}`)
}

async function fileOf(module: string, folder: string): Promise<string> {
  const path = resolve(folder, module)
  const kind = await kindOf(path)
  if (kind === 'folder') return await entryOf(path)
  if (kind === 'file' || /^[./]|^[a-z]:|\.[cm]?[jt]s$/i.test(module)) return path
  try {
    return createRequire(join(resolve(folder), 'package.json')).resolve(module)
  } catch (cause) {
    throw new ModuleError(`there is no file, folder or installed package ${module}`, { cause })
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
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

async function load(file: string): Promise<object> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    throw new ModuleError(`${file} cannot be loaded: ${reason}`, { cause })
  }
}
