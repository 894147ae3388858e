/** The system says ENOENT or EACCES for half a dozen mistakes; this finds out which it was. */
import { constants } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { delimiter, join, sep } from 'node:path'

/** @param path the PATH that the executable would have had */
export async function whyNotStarted(
  program: string,
  folder: string,
  path: string | undefined,
  error: unknown,
): Promise<string> {
  if (!(await isFolder(folder))) return `its working folder ${folder} is not there`
  if (!program.includes(sep)) {
    if (await isInPath(program, path ?? '')) return messageOf(error)
    return `there is no such program in PATH (${path ?? 'which is not set'})`
  }
  if (await isFolder(program)) return 'it is a folder'
  if (!(await can(program, constants.F_OK))) return 'there is no such file'
  if (!(await can(program, constants.X_OK))) {
    return `it is not executable; chmod +x it, or name its interpreter first: ['python3', '${program}']`
  }
  const interpreter = await interpreterOf(program)
  if (interpreter === undefined || (error as NodeJS.ErrnoException).code !== 'ENOENT') {
    return messageOf(error)
  }
  return `its first line names an interpreter that is not there: ${JSON.stringify(interpreter)}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

async function can(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

async function isInPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter)) {
    if (await can(join(folder, program), constants.X_OK)) return true
  }
  return false
}

async function interpreterOf(path: string): Promise<string | undefined> {
  const handle = await open(path, 'r').catch(() => undefined)
  try {
    const { buffer, bytesRead } = (await handle?.read(Buffer.alloc(200), 0, 200, 0)) ?? {}
    const [line = ''] = String(buffer?.subarray(0, bytesRead) ?? '').split('\n')
    return line.startsWith('#!') ? line : undefined
  } finally {
    await handle?.close()
  }
}
