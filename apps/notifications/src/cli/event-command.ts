/**
 * Commands on events: they run here on a database of our own, or, while a service holds the embedded one, within that
 * service (admin-socket.ts). So what they are told is plain JSON, and what they print is a stream of lines.
 */
import type { Database, Intake } from '@pacifica/platform'
import { canonicalUuid } from '../subscriptions/check.ts'
import { type Command, type Given, UsageError } from './command.ts'

/** What a command may need beside the database. */
export interface Means {
  /** Undefined where there is no broker. */
  readonly intake?: Intake | undefined
}

export interface EventCommand<O> extends Command {
  /** Of those with a database of their own it then opens the broker too. */
  readonly needsBroker?: true
  /** @throws UsageError, DateError */
  read(given: Given, now: Date): O
  run(database: Database, options: O, means?: Means): AsyncIterable<string>
}

/** @throws UsageError */
export function uuidsOf(given: Given): string[] {
  return given.words.map((word) => {
    const uuid = canonicalUuid(word)
    if (uuid === undefined) throw new UsageError(`${word} is no uuid`)
    return uuid
  })
}

export const DAY_MS = 86_400_000
