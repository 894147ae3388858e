/** Puts the parts of the outbox together: the relay's loop, its bell, and what is counted. */
import {
  type Bell,
  createBell,
  type Database,
  type Health,
  type Lifetime,
  type Log,
  type Metrics,
  type TaskEvents,
  workLoop,
} from '@pacifica/platform'
import { outboxMetrics } from './metrics.ts'
import { relayStep } from './relay.ts'
import { claimOutbox, postpone, releaseClaims, removePublished } from './store.ts'

const BATCH = 100
/** How long the broker may take to confirm, and how long a claim holds. */
const TIMEOUT_MS = 15_000
const LEASE_MS = 2 * TIMEOUT_MS
/** How often it is looked at when no bell rings. */
const IDLE_MS = 2_000

/**
 * Starts the relay. It is closed after what is opened later, so that the last words of tasks that end with the process
 * still go out, if they can. Ring the bell when a task has changed.
 */
export async function openOutbox(
  needs: {
    readonly life: Lifetime
    readonly log: Log
    readonly metrics: Metrics
    readonly health: Health
    readonly database: Database
    readonly channel: TaskEvents
  },
  { dispatcher }: { dispatcher: string },
): Promise<Pick<Bell, 'ring'>> {
  const { life, log, database, channel } = needs
  if (database.engine === 'embedded') await releaseClaims(database)
  const step = relayStep(
    {
      store: {
        claim: (limit) => claimOutbox(database, { limit, leaseMs: LEASE_MS }),
        remove: (seqs) => removePublished(database, seqs),
        postpone: (rows) => postpone(database, rows),
      },
      channel,
      log,
      onPublished: outboxMetrics({ metrics: needs.metrics, sql: database, log }),
      random: Math.random,
      abandoning: life.abandoning,
    },
    { dispatcher, batch: BATCH, timeoutMs: TIMEOUT_MS },
  )
  const bell = createBell()
  const closing = new AbortController()
  const options = { name: 'outbox', signal: closing.signal, bell, idleMs: IDLE_MS, log }
  const loop = workLoop(step, options)
  life.onClose('outbox', async () => {
    closing.abort()
    await loop
    await lastWords(step).catch((err) => log.warn({ err }, 'outbox.left'))
  })
  needs.health.add('outbox', channel.trouble)
  return bell
}

/** What is not published now is published by another replica, or at the next start. */
async function lastWords(step: () => Promise<boolean>): Promise<void> {
  let more = true
  while (more) more = await step()
}
