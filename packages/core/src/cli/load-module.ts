/** From MODULE to the author's dispatcher. */
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Dispatcher, isDispatcher } from '../handlers/define-dispatcher.ts'
import { entryFile, kindOf } from './entry-file.ts'
import { ModuleError } from './errors.ts'

export interface Loaded {
  readonly dispatcher: Dispatcher
  /** The file that it is in. */
  readonly file: string
}

/** @param module a file, a folder with a package.json, or a package's name. Throws `ModuleError`. */
export async function loadModule(module: string, folder: string): Promise<Loaded> {
  const file = await fileOf(module, folder)
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
  const isPath = (await kindOf(path)) !== undefined || /^[./]|^[a-z]:|\.[cm]?[jt]s$/i.test(module)
  if (isPath) return await entryFile(path)
  try {
    return createRequire(join(resolve(folder), 'package.json')).resolve(module)
  } catch (cause) {
    throw new ModuleError(`there is no file, folder or installed package ${module}`, { cause })
  }
}

async function load(file: string): Promise<object> {
  try {
    return await import(pathToFileURL(file).href)
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    throw new ModuleError(`${file} cannot be loaded: ${reason}`, { cause })
  }
}
