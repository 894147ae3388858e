/** What a handler's process sees of the service's environment: a few names, never what the service itself is set up with. */
import { join } from 'node:path'
import { MARK_VARIABLE } from './process-tree.ts'

/** What programs need to run at all and to speak a language, and how Node is to behave. None of them is a secret. */
const HARMLESS = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'LD_LIBRARY_PATH',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'SystemRoot',
]

/** Set by us for each run. */
export const MODE_VARIABLE = 'PACIFICA_TASK_CHILD'

export type Environment = Readonly<Record<string, string | undefined>>

/** @param names what the operator lists beside (DISPATCHER_HANDLER_ENV) */
export function childEnvironment(
  env: Environment,
  { names, folder, mark }: { readonly names: readonly string[]; folder: string; mark: string },
): Record<string, string> {
  const wanted = new Set([...HARMLESS, ...names])
  const shown = Object.entries(env).filter(([name]) => wanted.has(name) || /^LC_/.test(name))
  const given = shown.filter((entry): entry is [string, string] => entry[1] !== undefined)
  const temporary = temporaryFolder(folder)
  return {
    ...Object.fromEntries(given),
    TMPDIR: temporary,
    TMP: temporary,
    TEMP: temporary,
    [MARK_VARIABLE]: mark,
    [MODE_VARIABLE]: '1',
  }
}

/** In the task's scratch folder, so that what a handler leaves there goes with it. */
export function temporaryFolder(folder: string): string {
  return join(folder, 'tmp')
}
