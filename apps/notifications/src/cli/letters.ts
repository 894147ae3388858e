/** What the commands on dead letters share. */
import { LetterNotFoundError } from '../dead/errors.ts'

/** Who decided, when it was this command. */
export const BY = 'pacifica-notifications-cmd'

/** The output says it already. */
export const QUIET = { info() {}, warn() {} }

/** Some were, some were not: the output says which, and why. */
export class LettersLeftError extends Error {
  readonly code = 'CLI_LETTERS_LEFT'
}

/**
 * Does it with each letter, whatever became of the others, and prints how it went.
 * @throws LettersLeftError at the end, when it failed with some
 */
export async function* each(
  uuids: readonly string[],
  what: string,
  act: (uuid: string) => Promise<string>,
): AsyncGenerator<string> {
  let left = 0
  for (const uuid of uuids) {
    try {
      yield `${uuid} - ${await act(uuid)}\n`
    } catch (error) {
      if (!isForPeople(error)) throw error
      left += 1
      yield error instanceof LetterNotFoundError
        ? `${uuid} - unknown\n`
        : `${uuid} - not ${what}: ${error.message}\n`
    }
  }
  if (left > 0) throw new LettersLeftError(`${left} of ${uuids.length} were not ${what}`)
}

function isForPeople(error: unknown): error is Error {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && code.startsWith('DEAD_LETTER_')
}
