/**
 * Takes dead letters out of the broker's queue into a table, where looking at them costs nothing. A message is
 * acknowledged when its row is committed; offered again after that, it is known by its key.
 */
import { type DeadMessage, isUnavailable, type Log, type Sql } from '@pacifica/platform'
import { type Availability, DatabaseUnavailableError } from '../database/availability.ts'
import type { IntakeMetrics } from '../intake/metrics.ts'
import { addLetter } from './store.ts'
import { whyItDied } from './why.ts'

export interface TakeDeadNeeds {
  readonly sql: Sql
  readonly availability: Availability
  readonly metrics: IntakeMetrics
  readonly log: Pick<Log, 'warn' | 'error'>
}

export function takeDead(
  needs: TakeDeadNeeds,
  options: { maxBody: number },
): (message: DeadMessage) => Promise<void> {
  const { sql, availability, metrics, log } = needs
  return async (message) => {
    if (availability.away) throw new DatabaseUnavailableError()
    const why = explain(message, options, log)
    const uuid = await addLetter(sql, message, why).catch((error: unknown) => {
      if (isUnavailable(error)) availability.lost(error)
      throw error
    })
    if (uuid === undefined) return
    const { queue, reason = 'unknown', count } = message.death ?? {}
    metrics.deadLetters.inc({ reason: KNOWN.has(reason) ? reason : 'other' })
    const { messageId, appId } = message.properties
    const bytes = message.body.byteLength
    log.warn(
      { letter: uuid, queue, reason, count, why, messageId, appId, bytes },
      'dead_letter.taken',
    )
  }
}

/** Senders may write what they like; a metric's label must not grow with it. */
const KNOWN = new Set(['rejected', 'expired', 'maxlen', 'delivery_limit'])

/** Whatever it is that cannot be explained, it must not come again for that. */
function explain(
  message: DeadMessage,
  options: { maxBody: number },
  log: Pick<Log, 'error'>,
): string {
  try {
    return whyItDied(message, options)
  } catch (err) {
    log.error({ err, key: message.key }, 'dead_letter.unexplained')
    return 'reading it failed: see dead_letter.unexplained in the log'
  }
}
