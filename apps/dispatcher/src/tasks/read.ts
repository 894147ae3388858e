/** What the calls of the Python dispatcher read: single tasks and pages of them, the newest first, without dry runs. */
import type { SqlDriverAdapterFactory } from '@prisma/client/runtime/client'
import { PrismaClient } from '../database/generated/client.ts'
import type { TaskEntryRow, TaskRow } from './view.ts'

export interface TaskPage {
  readonly rows: readonly TaskEntryRow[]
  /** Where the next page begins; undefined after the last one. */
  readonly next: string | undefined
}

export interface TaskReader {
  find(id: string): Promise<TaskRow | null>
  /** @param cursor `next` of the page before */
  page(limit: number, cursor: string | undefined): Promise<TaskPage>
}

export function taskReader(adapter: SqlDriverAdapterFactory): TaskReader {
  const prisma = new PrismaClient({ adapter })
  return {
    find: (id) => prisma.task.findUnique({ where: { id } }),
    async page(limit, cursor) {
      const found = await prisma.task.findMany({
        where: {
          kind: { not: 'dry-run' },
          ...(cursor === undefined ? {} : { seq: { lt: BigInt(cursor) } }),
        },
        select: { id: true, seq: true, created: true, updated: true, deleted: true },
        orderBy: { seq: 'desc' },
        take: limit + 1,
      })
      const rows = found.slice(0, limit)
      const last = found.length > limit ? rows.at(-1) : undefined
      return { rows, next: last?.seq.toString() }
    },
  }
}
