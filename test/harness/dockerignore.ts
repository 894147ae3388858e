/** Which files of a build context Docker does not see: the patterns that our .dockerignore uses. */
import { readFile } from 'node:fs/promises'

export async function readDockerignore(path: string): Promise<(file: string) => boolean> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.trim())
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#')).map(toRegExp)
  return (file) => patterns.some((pattern) => pattern.test(file))
}

/** A pattern names a file, or a folder with all that is in it. */
function toRegExp(pattern: string): RegExp {
  if (/[!?[\]\\]/.test(pattern)) throw new Error(`.dockerignore: not understood: ${pattern}`)
  const parts = pattern.split('**/').map((part) =>
    part
      .split('*')
      .map((text) => text.replace(/[.+^${}()|]/g, '\\$&'))
      .join('[^/]*'),
  )
  return new RegExp(`^${parts.join('(?:.*/)?')}(?:/.*)?$`)
}
