/** What the API reads and changes of joins, over the tables. */
import type { Database } from '@pacifica/platform'
import { cancelJoin } from './end.ts'
import { listJoins, readJoin } from './list.ts'
import type { ShownJoins } from './routes.ts'

export function shownJoins(
  database: Database,
  options: { readonly defined: readonly string[]; readonly onCancelled: () => void },
): ShownJoins {
  return {
    defined: new Set(options.defined),
    list: (filter, page) => listJoins(database, filter, page),
    read: (id) => readJoin(database, id),
    async cancel(id) {
      const cancelled = await cancelJoin(database, id)
      if (cancelled) options.onCancelled()
      return cancelled
    },
  }
}
