/** A built command run to its end. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface Ended {
  readonly code: number
  readonly out: string
  readonly errors: string
}

/** `entry` from the root, such as `apps/notifications/dist/cli/main.js`; needs the build. */
export function runCommand(
  entry: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const options = { env: { PATH: process.env['PATH'], ...env }, maxBuffer: 64 * 1024 * 1024 }
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, entry), ...words], options, (error, out, errors) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      resolve({ code, out, errors })
    })
  })
}
