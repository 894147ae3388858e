/**
 * How many expressions may be evaluated on every event, because no index finds them: each costs all of them. The limits
 * are looked at when one is added; those that are there stay, however many they are.
 */
import {
  type Dialect,
  JsonPathLimitError,
  JsonPathSyntaxError,
  type Part,
} from '@pacifica/jsonpath'
import type { Prisma, PrismaClient } from '../database/generated/client.ts'
import { unindexedIn } from './subscription.ts'

export interface UnindexedLimits {
  readonly perUser: number
  readonly inAll: number
}

/** An expression that no index finds, and what it has to stay within. */
export interface Unindexed extends UnindexedLimits {
  readonly part: Part
}

/** There are as many such expressions as there may be. */
export class UnindexedLimitError extends Error {
  readonly code = 'UNINDEXED_LIMIT'
  readonly errors: readonly { path: string; message: string; offset: number }[]
  constructor(part: Part, has: string) {
    const text = part.text.length > LONGEST ? `${part.text.slice(0, LONGEST)}…` : part.text
    const message =
      `holds '${text}' at offset ${part.offset}, by which no index can find it, so that it would be evaluated on ` +
      `every event, and ${has}: add a condition that must hold besides, as in @.eventType, or delete one of those`
    super(`jsonpath ${message}`)
    this.errors = [{ path: '/jsonpath', message, offset: part.offset }]
  }
}

const LONGEST = 200

type Rows = Pick<Prisma.TransactionClient, '$queryRaw' | '$executeRaw'>

/**
 * Holds while the revision is locked: whoever adds another one waits.
 * @param uuid of the subscription that is given this expression; it is not counted itself
 * @throws UnindexedLimitError
 */
export async function refuseTooMany(
  tx: Rows,
  { user, uuid }: { user: string; uuid: string },
  { part, perUser, inAll }: Unindexed,
): Promise<void> {
  const [count] = await tx.$queryRaw<{ users: number; all: number; has: boolean }[]>`
    SELECT count(*) FILTER (WHERE "user" = ${user})::int AS users, count(*)::int AS all,
      coalesce(bool_or(uuid = ${uuid}::uuid), false) AS has
    FROM eventmatch WHERE NOT indexed AND deleted IS NULL`
  if (count === undefined || count.has) return
  if (count.users >= perUser)
    throw new UnindexedLimitError(part, `you have ${count.users} such subscriptions of ${perUser}`)
  if (count.all >= inAll)
    throw new UnindexedLimitError(part, `the site has ${count.all} such subscriptions of ${inAll}`)
}

const BATCH = 500

/** Rows of before the limits do not say yet whether they are indexed: a transaction must not read them one by one. */
export async function sortUnsorted(prisma: PrismaClient): Promise<void> {
  for (;;) {
    const rows = await prisma.eventMatch.findMany({
      where: { indexed: null, deleted: null },
      select: { uuid: true, jsonpath: true, dialect: true },
      take: BATCH,
    })
    if (rows.length === 0) return
    const uuids = rows.map(({ uuid }) => uuid)
    const indexed = rows.map(isIndexed)
    // Whoever changed one in the meantime has said it.
    await prisma.$executeRaw`
      UPDATE eventmatch e SET indexed = d.indexed
      FROM (
        SELECT e.uuid, d.indexed FROM unnest(${uuids}::uuid[], ${indexed}::boolean[]) AS d (uuid, indexed)
        JOIN eventmatch e USING (uuid) WHERE e.indexed IS NULL ORDER BY e.uuid FOR UPDATE OF e) d
      WHERE e.uuid = d.uuid`
  }
}

/** What cannot be read is evaluated on no event. */
function isIndexed({ jsonpath, dialect }: { jsonpath: string; dialect: string }): boolean {
  try {
    return unindexedIn(jsonpath, dialect as Dialect) === undefined
  } catch (error) {
    if (error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError) return true
    throw error
  }
}
