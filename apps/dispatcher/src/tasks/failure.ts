/**
 * From whatever a handler threw to what the task's author reads: type, value and traceback. Total: also for a thrown
 * string, for undefined, and for objects that fight back.
 *
 * The traceback is shown by GET /get/ID, so it tells where in the author's code, not where on our disk: paths are cut
 * down to what follows the working folder, frames of Node itself are left out, passwords in URLs are blanked.
 */
import { maskCredentials } from '@pacifica/platform'
import type { Failure } from './task.ts'

const MAX_VALUE = 4_000
const MAX_TRACEBACK = 16_000
const MAX_CAUSES = 5

/** @param folder the working folder, cut off from the paths in stack frames */
export function failureOf(thrown: unknown, folder: string): Failure {
  try {
    return {
      type: typeName(thrown),
      value: storable(message(thrown), MAX_VALUE),
      traceback: storable(traceback(thrown, folder), MAX_TRACEBACK),
    }
  } catch {
    return { type: 'Error', value: 'the error could not be read', traceback: '' }
  }
}

/** Text that any PostgreSQL text column takes (no NUL) and no reader chokes on; without passwords of URLs. */
export function storable(text: string, maxLength: number): string {
  const clean = maskCredentials(text.replaceAll('\u0000', '\ufffd'))
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength)}… (cut)`
}

function typeName(thrown: unknown): string {
  if (thrown === null || typeof thrown !== 'object') return typeof thrown
  const own = thrown instanceof Error && thrown.name !== 'Error' ? thrown.name : undefined
  return storable(String(own ?? thrown.constructor?.name ?? 'Object'), 200)
}

function message(thrown: unknown): string {
  if (thrown instanceof Error) return String(thrown.message)
  if (typeof thrown === 'object' && thrown !== null) return JSON.stringify(thrown) ?? 'an object'
  return String(thrown)
}

function traceback(thrown: unknown, folder: string): string {
  const parts: string[] = []
  let error = thrown
  for (let depth = 0; error instanceof Error && depth < MAX_CAUSES; depth += 1) {
    const heading = depth === 0 ? [] : [`Caused by ${typeName(error)}: ${message(error)}`]
    parts.push([...heading, ...frames(error, folder)].join('\n'))
    error = error.cause
  }
  return parts.filter((part) => part !== '').join('\n')
}

function frames(error: Error, folder: string): string[] {
  return String(error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !line.includes('node:'))
    .map((line) => line.replaceAll('file://', '').replaceAll(`${folder}/`, ''))
}
