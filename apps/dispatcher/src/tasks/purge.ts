/**
 * DISPATCHER_TASK_RETENTION: a slow loop that deletes tasks that ended longer ago, with their logs, deliveries and
 * uploads, in batches of one short transaction each. Any number of processes may run it. The bundles of dry runs lie in
 * this process's own folder and go by their age.
 */
import { createBell, type Database, type Lifetime, type Log, workLoop } from '@pacifica/platform'
import { purgeJoins } from '../joins/purge.ts'
import { removeOldDryRuns } from './dry-run-uploader.ts'
import type { Scratch } from './scratch.ts'
import { runningTasks } from './store.ts'

const EVERY_MS = 10 * 60_000
const BATCH = 500

export interface PurgeOptions {
  readonly retentionMs: number | undefined
  readonly dryRunFolder: string
  readonly dryRunKeepMs: number
}

export function startPurge(
  needs: { readonly database: Database; readonly life: Lifetime; readonly log: Log },
  options: PurgeOptions,
): void {
  const { database, life, log } = needs
  const step = purgeStep({ database, log, signal: life.stopping }, options)
  const loop = workLoop(step, {
    ...{ name: 'purge', signal: life.stopping, bell: createBell(), idleMs: EVERY_MS, log },
  })
  life.onClose('purge', () => loop)
}

/** Of a process that was killed, and whose task another replica has taken up, the folder is still here. */
export function startSweeping(
  needs: {
    readonly database: Database
    readonly life: Lifetime
    readonly log: Log
    readonly scratch: Scratch
  },
  { everyMs }: { readonly everyMs: number },
): void {
  const { database, life, log, scratch } = needs
  const step = async () => {
    await scratch.sweep(() => runningTasks(database))
    return false
  }
  const loop = workLoop(step, {
    ...{ name: 'sweep', signal: life.stopping, bell: createBell(), idleMs: everyMs, log },
  })
  life.onClose('sweep', () => loop)
}

/** One look; false, because there is time until the next. */
export function purgeStep(
  needs: { database: Database; log: Pick<Log, 'info'>; signal: AbortSignal },
  { retentionMs, dryRunFolder, dryRunKeepMs }: PurgeOptions,
): () => Promise<boolean> {
  return async () => {
    const { database, log, signal } = needs
    const bundles = await removeOldDryRuns(dryRunFolder, dryRunKeepMs)
    if (bundles > 0) log.info({ bundles }, 'dry_runs.purged')
    if (retentionMs === undefined) return false
    const old = { olderMs: retentionMs, signal }
    let tasks = await purgeTasks(database, old)
    const joins = await purgeJoins(database, old)
    if (joins > 0) tasks += await purgeTasks(database, old)
    if (tasks > 0) log.info({ tasks, joins }, 'tasks.purged')
    return false
  }
}

/**
 * What somebody holds is left for the next time; an event in a join stays until the join goes. A batch begins where the one
 * before it has ended: what had to stay is not looked at again.
 */
const PURGE = `
WITH old AS (
  SELECT id FROM task WHERE settled < now() - $1::float8 * interval '1 ms' AND settled >= $3::timestamptz
    AND state NOT IN ('waiting', 'running', 'retrying', 'joined')
    AND NOT EXISTS (SELECT FROM task_join_slot s WHERE s.task = task.id)
  ORDER BY settled LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task t USING old WHERE t.id = old.id RETURNING t.settled
)
SELECT count(*)::int AS tasks, max(settled)::text AS upto FROM gone`

/** Tasks that ended longer than that ago. How many went. */
export async function purgeTasks(
  database: Database,
  {
    olderMs,
    signal,
    batch = BATCH,
  }: { readonly olderMs: number; readonly signal: AbortSignal; readonly batch?: number },
): Promise<number> {
  let purged = 0
  let from = '-infinity'
  while (!signal.aborted) {
    const values = [olderMs, batch, from]
    const [gone] = await database.query<{ tasks: number; upto: string | null }>(PURGE, values)
    purged += gone?.tasks ?? 0
    if (gone === undefined || gone.tasks < batch) break
    from = gone.upto ?? from
  }
  return purged
}
