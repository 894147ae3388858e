/** What the API reads and changes of tasks, over the table. */
import type { Bell, Database } from '@pacifica/platform'
import { withdraw } from '../joins/withdraw.ts'
import { cancelTask } from './cancel.ts'
import type { TaskItems } from './item-routes.ts'
import { listTasks, readTask } from './list.ts'
import { readLog } from './log-store.ts'
import { taskReader } from './read.ts'
import { addDryRun, retryTask } from './repeat.ts'
import type { ShownTasks } from './routes.ts'
import { CANCELLED } from './task.ts'

export function shownTasks(
  database: Database,
  {
    bell,
    cancelBell,
    newId,
  }: {
    /** Rung when there is a task more. */
    readonly bell: Pick<Bell, 'ring'>
    readonly cancelBell: Pick<Bell, 'ring'>
    readonly newId: () => string
  },
): ShownTasks & TaskItems {
  return {
    ...taskReader(database.adapter),
    log: (id) => readLog(database, id),
    async cancel(id) {
      const state = (await cancelTask(database, id)) ?? (await withdraw(database, id, CANCELLED))
      cancelBell.ring()
      return state
    },
    list: (filter, page) => listTasks(database, filter, page),
    read: (id) => readTask(database, id),
    async retry(id) {
      const accepted = await retryTask(database, id, newId())
      if (accepted?.isNew) bell.ring()
      return accepted
    },
    async dryRun(id) {
      const dryRun = newId()
      const added = await addDryRun(database, id, dryRun)
      if (added) bell.ring()
      return added ? dryRun : undefined
    },
  }
}
