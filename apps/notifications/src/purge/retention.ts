/** RETENTION: a slow loop that purges what is older. Any number of processes may run it. */
import { createBell, type Database, type Lifetime, type Log, workLoop } from '@pacifica/platform'
import { purgeLetters } from '../dead/purge.ts'
import { purgeEvents } from './purge.ts'

const EVERY_MS = 10 * 60_000

export function startRetention(
  needs: { database: Database; life: Lifetime; log: Log },
  { retentionMs }: { retentionMs: number | undefined },
): void {
  if (retentionMs === undefined) return
  const { database, life, log } = needs
  const step = retentionStep({ database, log, signal: life.stopping }, { retentionMs })
  const loop = workLoop(step, {
    name: 'retention',
    signal: life.stopping,
    bell: createBell(),
    idleMs: EVERY_MS,
    log,
  })
  life.onClose('retention loop', () => loop)
}

/** One look through the table; false, because there is time until the next. */
export function retentionStep(
  needs: { database: Database; log: Pick<Log, 'info' | 'warn'>; signal: AbortSignal },
  { retentionMs }: { retentionMs: number },
): () => Promise<boolean> {
  return async () => {
    const { database, log, signal } = needs
    const [row] = await database.query<{ before: Date }>(
      `SELECT now() - $1::float8 * interval '1 millisecond' AS before`,
      [retentionMs],
    )
    if (row === undefined) return false
    const options = { which: row, pendingToo: 'held', signal } as const
    const { purged, kept } = await purgeEvents(database, options)
    if (purged > 0) log.info({ purged, pending: kept, before: row.before }, 'events.purged')
    const letters = await purgeLetters(database, { before: row.before, signal })
    if (letters.purged > 0)
      log[letters.undecided > 0 ? 'warn' : 'info'](
        { ...letters, before: row.before },
        'dead_letters.purged',
      )
    return false
  }
}
