/**
 * From whatever a handler threw to what the task's author reads: type, value and traceback.
 *
 * The traceback is shown by GET /get/ID, so it tells where in the author's code, not where on our disk: paths are cut
 * down to what follows the working folder, frames of Node itself are left out, passwords in URLs are blanked.
 */
import { maskCredentials } from '@pacifica/platform'
import type { Failure } from './task.ts'
import { describeThrown } from './thrown.ts'

const MAX_TYPE = 200
const MAX_VALUE = 4_000
const MAX_TRACEBACK = 16_000

/** @param folder the working folder, cut off from the paths in stack frames */
export function failureOf(thrown: unknown, folder: string): Failure {
  return storableFailure(describeThrown(thrown, folder))
}

/** Also for a failure that another process has described. */
export function storableFailure({ type, value, traceback }: Failure): Failure {
  return {
    type: storable(String(type), MAX_TYPE),
    value: storable(String(value), MAX_VALUE),
    traceback: storable(String(traceback), MAX_TRACEBACK),
  }
}

/** Text that any PostgreSQL text column takes (no NUL) and no reader chokes on; without passwords of URLs. */
export function storable(text: string, maxLength: number): string {
  const clean = maskCredentials(text.replaceAll('\u0000', '\ufffd'))
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength)}… (cut)`
}
