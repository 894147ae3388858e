/** What is told to other processes: NOTIFY over the pool, with `self` as the payload. */
import type pg from 'pg'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'

/** The first notice goes at once; those of the next moment share one NOTIFY, which is a transaction of its own. */
const NOTIFY_EVERY_MS = 20
/** What is left at the end may hold it up for so long. */
const LAST_WORD_MS = 200

export interface Notices {
  /** However often it is called, no more than one NOTIFY of a channel is on its way and one waits behind it. */
  tell(channel: string): void
  /**
   * What waits is told now, if that is possible at once; never rejects. By `client`, since the pool might have to make
   * a connection, which may be long in coming, once `client` is done with what it does.
   */
  tellTheRest(client: pg.Client, done: Promise<unknown>): Promise<void>
}

export function notices(
  { pool, log }: { readonly pool: pg.Pool; readonly log: Log },
  self: string,
): Notices {
  const sending = new Set<string>()
  const waiting = new Set<string>()

  function tell(channel: string): void {
    if (sending.has(channel)) {
      waiting.add(channel)
      return
    }
    sending.add(channel)
    pool
      .query('SELECT pg_notify($1, $2)', [channel, self])
      .catch((error: Error) => log.debug({ reason: error.message }, 'database.not_notified'))
      .finally(() => setTimeout(() => rested(channel), NOTIFY_EVERY_MS).unref())
  }

  function rested(channel: string): void {
    sending.delete(channel)
    if (waiting.delete(channel)) tell(channel)
  }

  return {
    tell,
    async tellTheRest(client, done) {
      const rest = [...waiting]
      waiting.clear()
      if (rest.length === 0) return
      const notify = 'SELECT pg_notify(channel, $2) FROM unnest($1::text[]) channel'
      const told = done.then(() => client.query(notify, [rest, self]))
      const over = new AbortController()
      await Promise.race([told.catch(() => {}), sleep(LAST_WORD_MS, over.signal)])
      over.abort()
    },
  }
}
