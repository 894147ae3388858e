/**
 * One subscription's deliveries of a time range sent anew, a few at a time, so that live deliveries do not wait for them:
 * a job hands out only as many as are missing to its pace, and one alone while its target has not answered well again.
 */
import type { Bell, Database, Log } from '@pacifica/platform'
import { followDeliveries } from '../deliver/lanes.ts'
import { sortOut } from '../history/replay.ts'
import {
  type ClaimedJob,
  cancelJob,
  claimJob,
  nextCandidates,
  recordStep,
  type Step,
} from './job-store.ts'

export interface RecoverNeeds {
  readonly database: Database
  readonly deliverBell: Bell
  readonly authorizeBell: Bell
  readonly log: Log
}

export interface RecoverOptions {
  /** Deliveries of one subscription that are due or in hand while a recovery adds to them. */
  readonly pace: number
  /** How soon a job is looked at again. */
  readonly everyMs: number
}

/** One step of the loop: at most one batch of one job. */
export function recoverStep(needs: RecoverNeeds, options: RecoverOptions): () => Promise<boolean> {
  return async () => {
    const job = await claimJob(needs.database)
    if (job === undefined) return false
    if (job.deleted) await end(needs, job, 'the subscription was deleted')
    else await record(needs, job, await batchOf(needs, job, options))
    return true
  }
}

async function batchOf(
  needs: RecoverNeeds,
  job: ClaimedJob,
  { pace, everyMs }: RecoverOptions,
): Promise<Step> {
  const { room, waiting } = roomFor(job, pace)
  const againInMs = job.failing ? everyMs * SLOWER : everyMs
  if (room === 0) return { ...NOTHING, waiting, againInMs }
  const candidates = await nextCandidates(needs.database, job, room)
  const { wanted, skipped } = await sortOut(candidates)
  return {
    wanted,
    skipped: skipped.length,
    upTo: candidates.at(-1)?.uuid,
    waiting: undefined,
    finished: candidates.length < room,
    againInMs,
  }
}

/** A target that fails is tried less often: each try may be a delivery's last. */
const SLOWER = 5
const NOTHING = { wanted: [], skipped: 0, upTo: undefined, finished: false } as const

/** How many deliveries may be added now; none, and why. */
export function roomFor(
  job: Pick<ClaimedJob, 'disabled' | 'failing' | 'underWay'>,
  pace: number,
): { room: number; waiting: string | undefined } {
  if (job.disabled) return { room: 0, waiting: 'the subscription is disabled: enable it' }
  const most = job.failing ? 1 : pace
  const room = Math.max(0, most - job.underWay)
  if (room > 0) return { room, waiting: undefined }
  const deliveries = job.underWay === 1 ? '1 delivery is' : `${job.underWay} deliveries are`
  const why = job.failing ? `, and the target has not answered well since it failed` : ''
  return { room, waiting: `${deliveries} under way${why}` }
}

async function record(needs: RecoverNeeds, job: ClaimedJob, step: Step): Promise<void> {
  const replayed = await recordStep(needs.database, job, step)
  if (replayed === undefined) {
    needs.log.warn({ recovery: job.uuid, claim: job.claim }, 'recovery.step_refused')
    return
  }
  if (replayed > 0) {
    await followDeliveries(needs.database, [job.subscription])
    needs.authorizeBell.ring()
    needs.deliverBell.ring()
  }
  const { skipped, waiting, finished } = step
  if (replayed + skipped > 0 || finished)
    needs.log.info(
      { recovery: job.uuid, subscription: job.subscription, replayed, skipped, waiting, finished },
      'recovery.step',
    )
}

async function end(needs: RecoverNeeds, job: ClaimedJob, reason: string): Promise<void> {
  await cancelJob(needs.database, job.subscription, job.uuid, reason)
  needs.log.info({ recovery: job.uuid, reason }, 'recovery.cancelled')
}
