/**
 * Scratch folders: `<task id>-<claim>`, one for each run of a task, removed when the run ends, however it ends. What a
 * killed process left behind goes at the next start, when its task is begun again here, or, when that was elsewhere, by
 * a sweep now and then.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@pacifica/platform'
import type { Held } from './store.ts'

export interface Scratch {
  /** Gives `work` an empty folder for this run, and removes it afterwards. */
  use<T>(held: Held, work: (folder: string) => Promise<T>): Promise<T>
  /** Removes every folder but those of the runs that are going on (other processes may work here too). */
  sweep(running: () => Promise<readonly Held[]>): Promise<void>
}

/** @param folder where they lie; made if missing, readable by this user alone */
export async function openScratch(needs: { log: Log }, folder: string): Promise<Scratch> {
  await mkdir(folder, { recursive: true, mode: 0o700 })

  const remove = async (name: string) => {
    try {
      await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })
    } catch (err) {
      needs.log.warn({ err, folder: join(folder, name) }, 'scratch.not_removed')
    }
  }

  return {
    async use(held, work) {
      const earlier = (await readdir(folder)).filter((name) => name.startsWith(`${held.id}-`))
      await Promise.all(earlier.map(remove))
      const mine = join(folder, nameOf(held))
      await mkdir(mine, { recursive: true, mode: 0o700 })
      try {
        return await work(mine)
      } finally {
        await remove(nameOf(held))
      }
    },
    async sweep(running) {
      // In this order: a run is stored before it has a folder.
      const names = await readdir(folder)
      const kept = new Set((await running()).map(nameOf))
      await Promise.all(names.filter((name) => !kept.has(name)).map(remove))
    },
  }
}

function nameOf({ id, claim }: Held): string {
  return `${id}-${claim}`
}
