/**
 * Publishes the outbox, row by row of each task, at least once: a row goes when the broker has it. While the broker is
 * away nothing is claimed, so an hour's backlog costs no writes, and goes out as soon as it is back.
 */
import { backoff, type Log, type PublishOutcome, type TaskEvents } from '@pacifica/platform'
import type { OutboxRow } from './store.ts'
import { messageOf } from './task-event.ts'

export interface RelayNeeds {
  readonly store: {
    claim(limit: number): Promise<OutboxRow[]>
    remove(seqs: readonly number[]): Promise<void>
    postpone(rows: readonly { readonly seq: number; readonly waitMs: number }[]): Promise<void>
  }
  readonly channel: Pick<TaskEvents, 'publish' | 'trouble'>
  readonly log: Log
  /** Told what became of each attempt. */
  readonly onPublished: (kind: PublishOutcome['kind']) => void
  readonly random: () => number
  readonly abandoning: AbortSignal
}

export interface RelayOptions {
  readonly dispatcher: string
  /** Rows at once. */
  readonly batch: number
  /** The lease of a claim must be longer. */
  readonly timeoutMs: number
}

/** A row that could not be published is tried again after this, doubled up to `maxMs`. */
const AGAIN = { firstMs: 1_000, maxMs: 60_000 }

interface Attempt {
  readonly row: OutboxRow
  readonly outcome: PublishOutcome
}

/** One step of the loop: true when there may be more to publish at once. */
export function relayStep(needs: RelayNeeds, options: RelayOptions): () => Promise<boolean> {
  const { store, channel, log, random } = needs
  return async () => {
    if (channel.trouble() !== undefined || needs.abandoning.aborted) return false
    const rows = await store.claim(options.batch)
    if (rows.length === 0) return false
    const attempts = await Promise.all(rows.map((row) => publish(needs, options, row)))
    const over = attempts.filter(isOver)
    const failed = attempts.filter((attempt) => !isOver(attempt))
    await store.remove(over.map(({ row }) => row.seq))
    await store.postpone(
      failed.map(({ row }) => ({ seq: row.seq, waitMs: backoff(row.tries + 1, AGAIN, random) })),
    )
    const [first] = failed
    if (first !== undefined)
      log.warn(
        { count: failed.length, ...first.outcome, seq: first.row.seq },
        'outbox.not_published',
      )
    return over.length > 0
  }
}

async function publish(
  { channel, onPublished, abandoning }: RelayNeeds,
  { dispatcher, timeoutMs }: RelayOptions,
  row: OutboxRow,
): Promise<Attempt> {
  const message = readable(row, dispatcher)
  const outcome =
    'reason' in message
      ? message
      : await channel.publish(message, { timeoutMs, signal: abandoning })
  onPublished(outcome.kind)
  return { row, outcome }
}

/** A row that cannot be told holds up its own task, and no other. */
function readable(row: OutboxRow, dispatcher: string) {
  try {
    return messageOf(row, dispatcher)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'refused', reason } as const
  }
}

/** Nobody listens, and nobody is named: there is no one to keep it for. */
function isOver({ row, outcome }: Attempt): boolean {
  if (outcome.kind === 'accepted') return true
  return outcome.kind === 'unroutable' && row.deliveries.length === 0
}
