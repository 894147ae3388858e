/** The folders of one run, all in the task's own: SRC and DST as the contract has them, and what is nobody's business. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface RunFolders {
  /** SRC: notification.json and downloads/ */
  readonly source: string
  /** DST: uploads/ */
  readonly destination: string
  readonly temporary: string
  /** stdout and stderr, when they are kept. */
  readonly output: string
}

/** Empty, also when an earlier try of the same task left something behind. */
export async function makeFolders(task: string): Promise<RunFolders> {
  const folders = {
    source: join(task, 'source'),
    destination: join(task, 'destination'),
    output: join(task, 'output'),
  }
  for (const folder of Object.values(folders)) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
  }
  // The task's handler may have its own temporary files here.
  const temporary = join(task, 'tmp')
  await mkdir(temporary, { recursive: true })
  return { ...folders, temporary }
}
