/**
 * A folder for one process alone: two on one embedded database silently lose rows. The lock is the kernel's, so it is
 * gone with the process that held it, however that ended.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** It has no types of its own. */
const { tryLock } = createRequire(import.meta.url)('fs-native-extensions') as {
  tryLock(fd: number): boolean
}

export class FolderInUseError extends Error {
  readonly code = 'DATABASE_FOLDER_IN_USE'
  constructor(folder: string, holder: string) {
    super(
      `The data folder ${folder} is in use by ${holder}, and only one process may open it: stop that one, or set another DATA_DIR`,
    )
  }
}

export class FolderUnusableError extends Error {
  readonly code = 'DATABASE_FOLDER_UNUSABLE'
}

/** @throws FolderInUseError naming the process that has it */
export function lockFolder(folder: string): { release(): void } {
  const file = join(folder, 'lock')
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    if (!locked(fd, file)) throw new FolderInUseError(folder, holderOf(file))
    ftruncateSync(fd)
    writeSync(fd, `${process.pid}\n`, 0)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { release: () => closeSync(fd) }
}

function locked(fd: number, file: string): boolean {
  try {
    return tryLock(fd)
  } catch (error) {
    throw new FolderUnusableError(
      `${file} cannot be locked (${(error as Error).message}): put DATA_DIR on a local disk`,
      { cause: error },
    )
  }
}

function holderOf(file: string): string {
  try {
    const pid = readFileSync(file, 'utf8').trim()
    if (pid) return `process ${pid}`
  } catch {} // Windows lets nobody read what is locked
  return 'another process'
}
