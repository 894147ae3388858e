/** `deadresend`: sends dead letters back to the queues that they died in. */
import type { Database } from '@pacifica/platform'
import { resendLetter } from '../dead/decide.ts'
import { NoBrokerError } from '../dead/errors.ts'
import { listLetters } from '../dead/store.ts'
import { type Given, textOf, UsageError, wholeNumber } from './command.ts'
import { type EventCommand, type Means, uuidsOf } from './event-command.ts'
import { BY, each, QUIET } from './letters.ts'

export interface DeadResendOptions {
  readonly uuids: readonly string[]
  readonly queue: string | null
  readonly limit: number
}

export const deadresend: EventCommand<DeadResendOptions> = {
  name: 'deadresend',
  words: 'UUID',
  needsBroker: true,
  help: `Sends dead letters back to the queues that they died in. Needs BROKER_URL as the service has it.
Prints what became of each, and ends with 1 when one was not sent: it stays a dead letter.

  UUID …         these letters
  --queue NAME   instead: all dead ones that died in this queue, the newest first
  --limit N      of these, at most N (default: 1000)`,
  options: { queue: { type: 'string' }, limit: { type: 'string' } },
  read(given: Given) {
    const uuids = uuidsOf(given)
    const queue = textOf(given, 'queue') ?? null
    if (uuids.length > 0 === (queue !== null))
      throw new UsageError('deadresend needs the uuids of dead letters, or --queue NAME')
    return { uuids, queue, limit: wholeNumber(given, 'limit', 1_000) }
  },
  run,
}

async function* run(
  database: Database,
  { uuids, queue, limit }: DeadResendOptions,
  { intake }: Means = {},
): AsyncGenerator<string> {
  if (intake === undefined) throw new NoBrokerError()
  const found = queue === null ? [] : await listLetters(database, { queue, state: 'dead', limit })
  const wanted = queue === null ? uuids : found.slice(0, limit).map(({ uuid }) => uuid)
  yield* each(wanted, 'sent', async (uuid) => {
    const resent = await resendLetter({ sql: database, intake, log: QUIET }, uuid, BY)
    return `resent to ${resent.queue}`
  })
}
