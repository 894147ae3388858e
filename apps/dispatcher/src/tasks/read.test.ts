import { expect, test } from 'vitest'
import { openMigrated } from '../../../../test/harness/index.ts'
import { PrismaClient } from '../database/generated/client.ts'
import { acceptTask } from './store.ts'

test("Prisma's schema and the migrations mean the same tables, column by column", async () => {
  const databases = await openMigrated('embedded', 'dispatcher')
  try {
    const { database } = databases
    const id = '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b'
    const event = { digest: 'd', source: '/s', eventId: 'E', event: '{}', trace: undefined }
    await acceptTask(database, { id, delivery: { id, replay: 0 }, ...event })
    const prisma = new PrismaClient({ adapter: database.adapter })
    const [task] = await prisma.task.findMany({ include: { deliveries: true } })
    const columns = await database.query<{ name: string; table: string }>(
      `SELECT table_name AS table, column_name AS name FROM information_schema.columns
       WHERE table_name IN ('task', 'task_delivery')`,
    )
    const count = (table: string) => columns.filter((column) => column.table === table).length
    expect(Object.keys(task ?? {})).toHaveLength(count('task') + 1) // and its deliveries
    expect(Object.keys(task?.deliveries[0] ?? {})).toHaveLength(count('task_delivery'))
    expect(task).toMatchObject({ id, state: 'waiting', claim: 0, deliveries: [{ taskId: id }] })
  } finally {
    await databases.close()
  }
})
