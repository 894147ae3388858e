/** What became of an event, read for people. */
import type { PrismaClient } from '../database/generated/client.ts'

export interface Viewer {
  readonly user: string
  readonly admin: boolean
}

export type EventHistory = NonNullable<Awaited<ReturnType<typeof findEvent>>>
export type DeliveryHistory = EventHistory['deliveries'][number]

/**
 * The event, also by another id that its sender was given while the database was away, with the deliveries and policy
 * answers that the viewer may see; undefined when there is no such event.
 */
export async function findEvent(prisma: PrismaClient, uuid: string, viewer: Viewer) {
  const found = await findByUuid(prisma, uuid, viewer)
  if (found !== undefined) return found
  const alias = await prisma.eventLogAlias.findUnique({ where: { uuid } })
  return alias === null ? undefined : findByUuid(prisma, alias.event, viewer)
}

async function findByUuid(prisma: PrismaClient, uuid: string, viewer: Viewer) {
  const own = viewer.admin ? {} : { owner: viewer.user }
  const event = await prisma.eventLog.findUnique({
    where: { uuid },
    include: {
      policyAnswers: { where: own },
      deliveries: { where: own, orderBy: [{ created: 'asc' }, { uuid: 'asc' }], include: parts },
    },
  })
  return event ?? undefined
}

const parts = {
  attempts: { orderBy: { id: 'asc' } },
  eventMatch: { select: { name: true, targetUrl: true } },
} as const

/** The newest deliveries of a subscription. */
export function findDeliveries(prisma: PrismaClient, subscription: string, limit: number) {
  return prisma.delivery.findMany({
    where: { subscription },
    orderBy: [{ created: 'desc' }, { uuid: 'desc' }],
    take: limit,
    include: parts,
  })
}

/** The event itself is shown after policy's yes to this user, and to admins. */
export function maySeeContent(event: EventHistory, viewer: Viewer): boolean {
  if (viewer.admin) return true
  return event.policyAnswers.some((row) => row.owner === viewer.user && row.state === 'allowed')
}
