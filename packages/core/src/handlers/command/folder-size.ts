import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Bytes of all files below the folders, as their sizes say; links are not followed, what vanishes meanwhile is nothing.
 * @param folders their paths; one that is not there has no bytes
 */
export async function sizeOf(folders: readonly string[]): Promise<number> {
  let bytes = 0
  const left = [...folders]
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) left.push(path)
      else if (entry.isFile()) bytes += await fileSize(path)
    }
  }
  return bytes
}

function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => [])
}

async function fileSize(path: string): Promise<number> {
  return lstat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
