/** Files and folders that are on the disk, under their names, before anybody is told so. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** All of it under its name, or nothing. */
export async function writeDurably(folder: string, name: string, content: Buffer): Promise<void> {
  const path = join(folder, name)
  const unfinished = `${path}.new`
  try {
    const file = await open(unfinished, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
    await syncNames(folder)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {})
    throw error
  }
}

async function syncNames(folder: string): Promise<void> {
  if (process.platform === 'win32') return // folders cannot be opened there
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** With all its parents. */
export function makeFolder(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first === undefined || process.platform === 'win32') return
  const top = dirname(resolve(first))
  for (let parent = dirname(resolve(path)); parent.length >= top.length; parent = dirname(parent)) {
    const handle = openSync(parent, 'r')
    fsyncSync(handle)
    closeSync(handle)
    if (parent === top) return
  }
}
