/** `deaddismiss`: puts dead letters away. */
import { putAwayLetter } from '../dead/decide.ts'
import { type Given, UsageError } from './command.ts'
import { type EventCommand, uuidsOf } from './event-command.ts'
import { BY, each, QUIET } from './letters.ts'

export interface DeadDismissOptions {
  readonly uuids: readonly string[]
}

export const deaddismiss: EventCommand<DeadDismissOptions> = {
  name: 'deaddismiss',
  words: 'UUID',
  help: `Puts dead letters away: they are no longer counted, and purged with RETENTION. They can still be sent again.

  UUID …   the letters`,
  options: {},
  read(given: Given) {
    if (given.words.length === 0)
      throw new UsageError('deaddismiss needs the uuids of dead letters')
    return { uuids: uuidsOf(given) }
  },
  run: (database, { uuids }) =>
    each(uuids, 'put away', async (uuid) => {
      await putAwayLetter({ sql: database, log: QUIET }, uuid, BY)
      return 'dismissed'
    }),
}
