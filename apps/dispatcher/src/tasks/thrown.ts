/**
 * From whatever a handler threw to type, value and traceback, not yet fit to be stored (failure.ts). Total: also for a
 * thrown string, for undefined, and for objects that fight back. Imports nothing: handlers' processes need it.
 */
import type { Failure } from './task.ts'

const MAX_CAUSES = 5

/** @param folder the working folder, cut off from the paths in stack frames */
export function describeThrown(thrown: unknown, folder: string): Failure {
  try {
    return {
      type: typeName(thrown),
      value: message(thrown),
      traceback: traceback(thrown, folder),
    }
  } catch {
    return { type: 'Error', value: 'the error could not be read', traceback: '' }
  }
}

function typeName(thrown: unknown): string {
  if (thrown === null || typeof thrown !== 'object') return typeof thrown
  const own = thrown instanceof Error && thrown.name !== 'Error' ? thrown.name : undefined
  return String(own ?? thrown.constructor?.name ?? 'Object')
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
