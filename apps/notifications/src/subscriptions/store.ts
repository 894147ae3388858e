/**
 * The rows of subscriptions. Every change takes a revision from one row, under a lock held to commit, so that a worker
 * that has read up to N has seen every change up to N (match/live-subscriptions.ts).
 */
import { randomUUID } from 'node:crypto'
import type { Sql } from '@pacifica/platform'
import { type EventMatch, Prisma, type PrismaClient } from '../database/generated/client.ts'
import { COPY_TO_LANE, followDeliveries } from '../deliver/lanes.ts'

import { refuseTooMany, sortUnsorted, type Unindexed } from './unindexed.ts'

export type NewRow = Pick<
  Prisma.EventMatchUncheckedCreateInput,
  'name' | 'jsonpath' | 'user' | 'targetUrl'
> &
  Partial<Columns> & { uuid?: string }

/** What an owner may change. */
export interface Columns {
  name: string
  jsonpath: string
  targetUrl: string
  version: string
  extensions: string
  auth: string
  dialect: string
  /** Whether events find it by an index; of an old row it may be unknown. */
  indexed: boolean
  disabled: Date | null
  error: null
  maxConcurrency: number | null
  retry: object | null
}

export class SubscriptionExistsError extends Error {
  readonly code = 'SUBSCRIPTION_EXISTS'
  constructor(uuid: string, options: ErrorOptions) {
    super(`there is a subscription ${uuid} already; leave uuid out, or choose another`, options)
  }
}

/** The user has as many as one may have. */
export class TooManySubscriptionsError extends Error {
  readonly code = 'SUBSCRIPTION_LIMIT'
  constructor(most: number) {
    super(`you have ${most} subscriptions, and nobody may have more: delete those not needed`)
  }
}

export interface Page {
  readonly limit: number
  /** The uuid of the subscription before the page. */
  readonly after?: string | undefined
}

export interface SubscriptionStore {
  /**
   * @param most how many the user may have, this one included
   * @param unindexed where no index finds its expression
   * @throws SubscriptionExistsError, TooManySubscriptionsError, UnindexedLimitError
   */
  create(row: NewRow, most?: number, unindexed?: Unindexed): Promise<EventMatch>
  /** Undefined when there is none, or it is deleted. */
  find(uuid: string): Promise<EventMatch | undefined>
  /** In the order in which they were made; all of them, or so many after one of them. */
  ofUser(user: string, page?: Page): Promise<EventMatch[]>
  /**
   * Re-enabling releases what was held. Undefined when it is gone in the meantime.
   * @param unindexed where no index finds the expression that it changes to
   * @throws UnindexedLimitError
   */
  update(
    uuid: string,
    changes: Partial<Columns>,
    unindexed?: Unindexed,
  ): Promise<EventMatch | undefined>
  /** Soft: the row stays, deliveries that wait are cancelled. False when it was deleted already. */
  delete(uuid: string): Promise<boolean>
  /** Disables it with the reason, unless it is disabled or deleted already. True when this call did. */
  disable(uuid: string, error: string, onlyFailingMs?: number): Promise<boolean>
  /** From now on it signs with this secret (sealed); those before it sign beside it for 24 h. */
  rotateSigning(uuid: string, sealed: string): Promise<EventMatch | undefined>
  stopSigning(uuid: string): Promise<EventMatch | undefined>
}

type Transaction = Prisma.TransactionClient

const revise = async (tx: Transaction): Promise<bigint> => {
  const row = await tx.subscriptionRevision.update({
    where: { only: true },
    data: { revision: { increment: 1 } },
  })
  return row.revision
}

export function subscriptionStore(needs: { prisma: PrismaClient }): SubscriptionStore {
  const { prisma } = needs
  return {
    create: (row, most, unindexed) => create(prisma, row, most, unindexed),
    find: async (uuid) =>
      (await prisma.eventMatch.findFirst({ where: { uuid, deleted: null } })) ?? undefined,
    ofUser: (user, page) => ofUser(prisma, user, page),
    update: (uuid, changes, unindexed) => update(prisma, uuid, changes, unindexed),
    delete: (uuid) => remove(prisma, uuid),
    disable: (uuid, error, onlyFailingMs) => disable(prisma, uuid, error, onlyFailingMs),
    rotateSigning: (uuid, sealed) => rotateSigning(prisma, uuid, sealed),
    stopSigning: (uuid) => stopSigning(prisma, uuid),
  }
}

async function ofUser(prisma: PrismaClient, user: string, page?: Page): Promise<EventMatch[]> {
  const orderBy = [{ created: 'asc' }, { uuid: 'asc' }] as const
  if (page === undefined)
    return prisma.eventMatch.findMany({ where: { user, deleted: null }, orderBy: [...orderBy] })
  const after =
    page.after === undefined
      ? Prisma.empty
      : Prisma.sql`AND (created, uuid) > (SELECT created, uuid FROM eventmatch WHERE uuid = ${page.after}::uuid)`
  const found = await prisma.$queryRaw<{ uuid: string }[]>`
    SELECT uuid FROM eventmatch WHERE "user" = ${user} AND deleted IS NULL ${after}
    ORDER BY created, uuid LIMIT ${page.limit}`
  const uuids = found.map((row) => row.uuid)
  return prisma.eventMatch.findMany({ where: { uuid: { in: uuids } }, orderBy: [...orderBy] })
}

async function create(
  prisma: PrismaClient,
  row: NewRow,
  most?: number,
  unindexed?: Unindexed,
): Promise<EventMatch> {
  const uuid = row.uuid ?? randomUUID()
  if (unindexed) await sortUnsorted(prisma)
  try {
    return await prisma.$transaction(async (tx) => {
      const revision = await revise(tx)
      if (most !== undefined) {
        const has = await tx.eventMatch.count({ where: { user: row.user, deleted: null } })
        if (has >= most) throw new TooManySubscriptionsError(most)
      }
      if (unindexed) await refuseTooMany(tx, { user: row.user, uuid }, unindexed)
      return tx.eventMatch.create({
        data: { ...row, uuid, revision, retry: json(row.retry ?? null) },
      })
    })
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002')
      throw new SubscriptionExistsError(uuid, { cause: error })
    throw error
  }
}

// The subscription before its lane: the order in which results are recorded locks them too.
async function update(
  prisma: PrismaClient,
  uuid: string,
  changes: Partial<Columns>,
  unindexed?: Unindexed,
): Promise<EventMatch | undefined> {
  if (unindexed) await sortUnsorted(prisma)
  const { retry, ...columns } = changes
  const data = { ...columns, ...(retry === undefined ? {} : { retry: json(retry) }) }
  const enable = changes.disabled === null
  const reread = changes.jsonpath !== undefined || changes.dialect !== undefined
  const row = await prisma.$transaction(async (tx) => {
    const revision = await revise(tx)
    if (unindexed) {
      const row = await tx.eventMatch.findFirst({ where: { uuid, deleted: null } })
      if (row) await refuseTooMany(tx, { user: row.user, uuid }, unindexed)
    }
    // Who is enabled again begins anew: what made it fail before counts no more.
    await tx.$executeRaw`
      UPDATE eventmatch SET updated = now(),
        failing_since = CASE WHEN ${enable} AND disabled IS NOT NULL THEN NULL ELSE failing_since END,
        expression_failures =
          CASE WHEN ${reread} OR (${enable} AND disabled IS NOT NULL) THEN 0 ELSE expression_failures END
      WHERE uuid = ${uuid}::uuid AND deleted IS NULL`
    const [row] = await tx.eventMatch.updateManyAndReturn({
      where: { uuid, deleted: null },
      data: { ...data, revision },
    })
    await tx.$executeRawUnsafe(COPY_TO_LANE, uuid)
    return row
  })
  if (enable && row) await release(prisma, uuid)
  return row
}

/** Of what waits for a subscription so many at once: there may be a million, and others wait for no lock that long. */
const TOGETHER = 5_000

/**
 * After the commit, because the revision is locked before it. What somebody holds just now, and what a crash leaves, is
 * looked at when its own time comes (deliver/due.ts).
 */
async function release(prisma: PrismaClient, uuid: string): Promise<void> {
  for (;;) {
    const released = await prisma.$executeRaw`
      UPDATE delivery SET state = 'pending', due = now(), reason = NULL
      WHERE uuid IN (
        SELECT uuid FROM delivery WHERE subscription = ${uuid}::uuid AND state = 'held'
        LIMIT ${TOGETHER} FOR UPDATE SKIP LOCKED)`
    await followDeliveries(sqlOf(prisma), [uuid])
    if (released < TOGETHER) return
  }
}

function sqlOf(prisma: PrismaClient): Sql {
  return { query: (text, values = []) => prisma.$queryRawUnsafe(text, ...values) }
}

/** What somebody holds just then is cancelled by the claim (deliver/claim.ts), and so is what a crash leaves behind. */
async function remove(prisma: PrismaClient, uuid: string): Promise<boolean> {
  const deleted = await prisma.$transaction(async (tx) => {
    const revision = await revise(tx)
    return tx.$executeRaw`
      UPDATE eventmatch SET deleted = now(), updated = now(), revision = ${revision}
      WHERE uuid = ${uuid}::uuid AND deleted IS NULL`
  })
  let cancelled = TOGETHER
  while (cancelled === TOGETHER)
    cancelled = await prisma.$executeRaw`
      UPDATE delivery SET state = 'cancelled', due = NULL, settled = now(), reason = 'the subscription was deleted'
      WHERE uuid IN (
        SELECT uuid FROM delivery WHERE subscription = ${uuid}::uuid AND state IN ('pending', 'retrying', 'held')
        LIMIT ${TOGETHER} FOR UPDATE SKIP LOCKED)`
  return deleted > 0
}

/** How long a secret goes on signing after another has taken its place. */
export const ROTATION_HOURS = 24
/** Secrets that sign at once: receivers look at each signature in turn. */
const MOST_SECRETS = 5

async function rotateSigning(
  prisma: PrismaClient,
  uuid: string,
  sealed: string,
): Promise<EventMatch | undefined> {
  await prisma.$executeRaw`
    UPDATE eventmatch SET updated = now(), signing =
      jsonb_build_array(jsonb_build_object('secret', ${sealed}::text, 'created', now(), 'until', NULL)) ||
      coalesce((
        SELECT jsonb_agg(old.value || jsonb_build_object('until',
                 coalesce((old.value->>'until')::timestamptz, now() + ${ROTATION_HOURS}::int * interval '1 hour'))
               ORDER BY old.place)
        FROM jsonb_array_elements(signing) WITH ORDINALITY AS old (value, place)
        WHERE old.place < ${MOST_SECRETS}::int AND coalesce((old.value->>'until')::timestamptz > now(), true)), '[]')
    WHERE uuid = ${uuid}::uuid AND deleted IS NULL`
  return (await prisma.eventMatch.findFirst({ where: { uuid, deleted: null } })) ?? undefined
}

async function stopSigning(prisma: PrismaClient, uuid: string): Promise<EventMatch | undefined> {
  await prisma.$executeRaw`
    UPDATE eventmatch SET updated = now(), signing = NULL WHERE uuid = ${uuid}::uuid AND deleted IS NULL`
  return (await prisma.eventMatch.findFirst({ where: { uuid, deleted: null } })) ?? undefined
}

/** `onlyFailingMs`: only if it has failed for at least so long without a success. */
function disable(
  prisma: PrismaClient,
  uuid: string,
  error: string,
  onlyFailingMs?: number,
): Promise<boolean> {
  return prisma.$transaction(async (tx) => {
    const revision = await revise(tx)
    const failing =
      onlyFailingMs === undefined
        ? Prisma.empty
        : Prisma.sql`AND failing_since <= now() - ${onlyFailingMs}::float8 * interval '1 millisecond'`
    const changed = await tx.$executeRaw`
      UPDATE eventmatch SET disabled = now(), updated = now(), error = ${error}, revision = ${revision}
      WHERE uuid = ${uuid}::uuid AND disabled IS NULL AND deleted IS NULL ${failing}`
    return changed > 0
  })
}

function json(value: object | null): Prisma.InputJsonValue | typeof Prisma.DbNull {
  return value === null ? Prisma.DbNull : (value as Prisma.InputJsonValue)
}
