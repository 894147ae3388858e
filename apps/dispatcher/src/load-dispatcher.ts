/** From DISPATCHER_MODULE to the author's dispatcher. What is wrong with the module is said in one line. */
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DISPATCHER_NAME_PATTERN, type Dispatcher, isDispatcher } from '@pacifica/core'
import { entryFile } from '@pacifica/core/entry-file'

export class DispatcherModuleError extends Error {
  readonly code = 'DISPATCHER_MODULE'
}

/**
 * @param module a path (`./x.js`, `/x.js`, `file:///x.js`: from `folder`; `./x`: a folder with a package.json) or a package
 * name (ours, else from `folder`)
 * @throws DispatcherModuleError when it cannot be loaded, or its default export is no dispatcher
 */
export async function loadDispatcher(module: string, folder: string): Promise<Dispatcher> {
  const exported = await load(module, folder)
  const where = `the default export of DISPATCHER_MODULE ${module}`
  return checkDispatcher(Reflect.get(exported, 'default'), where)
}

/** @param where whose default export, or which argument, it is: begins the error's message */
export function checkDispatcher(value: unknown, where: string): Dispatcher {
  if (!isDispatcher(value)) {
    const hint = 'defineDispatcher({ name, routes })'
    throw new DispatcherModuleError(`${where}: this is no dispatcher; it must be made with ${hint}`)
  }
  if (!DISPATCHER_NAME_PATTERN.test(value.name)) {
    throw new DispatcherModuleError(`${where}: its name must be 1 to 64 of a-z, 0-9 and '-'`)
  }
  // One that an earlier version of core has made.
  return value.joins === undefined ? { ...value, joins: [] } : value
}

async function load(module: string, folder: string): Promise<object> {
  try {
    return await importFrom(module, folder)
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
    throw new DispatcherModuleError(`DISPATCHER_MODULE ${module} cannot be loaded: ${reason}`, {
      cause,
    })
  }
}

async function importFrom(module: string, folder: string): Promise<object> {
  if (module.startsWith('file:')) return await import(module)
  if (module.startsWith('.') || isAbsolute(module)) {
    return await import(pathToFileURL(await entryFile(resolve(folder, module))).href)
  }
  try {
    return await import(module)
  } catch (error) {
    if (!isMissing(error, module)) throw error
    const found = createRequire(join(resolve(folder), 'package.json')).resolve(module)
    return await import(pathToFileURL(found).href)
  }
}

/** The module itself is not there; one that it imports may be missing just as well. */
function isMissing(error: unknown, module: string): boolean {
  if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'ERR_MODULE_NOT_FOUND')
    return false
  return error.message.includes(`'${module}'`)
}
