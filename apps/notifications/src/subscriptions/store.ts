/**
 * The rows of subscriptions. Every change takes a revision from one row, under a lock held to commit, so that a worker
 * that has read up to N has seen every change up to N (match/live-subscriptions.ts).
 */
import { randomUUID } from 'node:crypto'
import { type EventMatch, Prisma, type PrismaClient } from '../database/generated/client.ts'

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

export interface SubscriptionStore {
  create(row: NewRow): Promise<EventMatch>
  /** Undefined when there is none, or it is deleted. */
  find(uuid: string): Promise<EventMatch | undefined>
  ofUser(user: string): Promise<EventMatch[]>
  /** Re-enabling releases what was held. Undefined when it is gone in the meantime. */
  update(uuid: string, changes: Partial<Columns>): Promise<EventMatch | undefined>
  /** Soft: the row stays, deliveries that wait are cancelled. */
  delete(uuid: string): Promise<void>
  /** Disables it with the reason, unless it is disabled or deleted already. True when this call did. */
  disable(uuid: string, error: string, onlyFailingMs?: number): Promise<boolean>
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
    create: (row) => create(prisma, row),
    find: async (uuid) =>
      (await prisma.eventMatch.findFirst({ where: { uuid, deleted: null } })) ?? undefined,
    ofUser: (user) =>
      prisma.eventMatch.findMany({
        where: { user, deleted: null },
        orderBy: [{ created: 'asc' }, { uuid: 'asc' }],
      }),
    update: (uuid, changes) => update(prisma, uuid, changes),
    delete: (uuid) => remove(prisma, uuid),
    disable: (uuid, error, onlyFailingMs) => disable(prisma, uuid, error, onlyFailingMs),
  }
}

async function create(prisma: PrismaClient, row: NewRow): Promise<EventMatch> {
  const uuid = row.uuid ?? randomUUID()
  try {
    return await prisma.$transaction(async (tx) => {
      const revision = await revise(tx)
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

function update(
  prisma: PrismaClient,
  uuid: string,
  changes: Partial<Columns>,
): Promise<EventMatch | undefined> {
  const { retry, ...columns } = changes
  const data = { ...columns, ...(retry === undefined ? {} : { retry: json(retry) }) }
  return prisma.$transaction(async (tx) => {
    const revision = await revise(tx)
    const [row] = await tx.eventMatch.updateManyAndReturn({
      where: { uuid, deleted: null },
      data: { ...data, revision, updated: new Date() },
    })
    if (row !== undefined && changes.disabled === null)
      await tx.$executeRaw`
        UPDATE delivery SET state = 'pending', due = now()
        WHERE subscription = ${uuid}::uuid AND state = 'held'`
    return row
  })
}

function remove(prisma: PrismaClient, uuid: string): Promise<void> {
  return prisma.$transaction(async (tx) => {
    const revision = await revise(tx)
    // Deliveries before the subscription: the order in which results are recorded locks them too.
    await tx.$executeRaw`
      UPDATE delivery SET state = 'cancelled', due = NULL, settled = now(), reason = 'the subscription was deleted'
      WHERE subscription = ${uuid}::uuid AND state IN ('pending', 'retrying', 'held')`
    const now = new Date()
    await tx.eventMatch.updateMany({
      where: { uuid, deleted: null },
      data: { deleted: now, updated: now, revision },
    })
  })
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
