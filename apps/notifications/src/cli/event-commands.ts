/** The commands that a running service carries out on the embedded database that it holds. */
import type { Database } from '@pacifica/platform'
import { troubleWithTables } from '../database/check.ts'
import { deaddismiss } from './deaddismiss.ts'
import { deadget } from './deadget.ts'
import { deadresend } from './deadresend.ts'
import type { Means } from './event-command.ts'
import { eventget } from './eventget.ts'
import { eventpurge } from './eventpurge.ts'
import { eventretry } from './eventretry.ts'

/** By name, with the options as JSON; undefined for an unknown name. */
export function runRemotely(
  database: Database,
  name: string,
  options: unknown,
  means: Means = {},
): AsyncIterable<string> | undefined {
  switch (name) {
    case 'eventget':
      return eventget.run(database, options as ReturnType<typeof eventget.read>)
    case 'eventpurge':
      return eventpurge.run(database, options as ReturnType<typeof eventpurge.read>)
    case 'eventretry':
      return eventretry.run(database, options as ReturnType<typeof eventretry.read>)
    case 'deadget':
      return deadget.run(database, options as ReturnType<typeof deadget.read>)
    case 'deadresend':
      return deadresend.run(database, options as ReturnType<typeof deadresend.read>, means)
    case 'deaddismiss':
      return deaddismiss.run(database, options as ReturnType<typeof deaddismiss.read>)
    case 'dbchk':
      return check(database, options as { equal: boolean })
    default:
      return undefined
  }
}

/** Prints the trouble; nothing when there is none. */
async function* check(database: Database, options: { equal: boolean }): AsyncGenerator<string> {
  const trouble = await troubleWithTables(database, options)
  if (trouble !== undefined) yield trouble
}
