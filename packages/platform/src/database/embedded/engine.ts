/** Starts PGlite on its data folder, which is made in one step: a kill in the middle leaves none, not half of one. */
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { DURABLE_SETTINGS, DurableFiles, syncFolder } from './durable-files.ts'
import { FolderUnusableError } from './folder-lock.ts'

/** Of the pinned PGlite; another major version cannot open its folders. */
const MAJOR = '18'

const SETTINGS = {
  ...DURABLE_SETTINGS,
  shared_buffers: '32MB', // 100 MB less memory than the default, and shorter checkpoints
  min_wal_size: '32MB', // what a checkpoint keeps of the old log, to write over
  max_wal_size: '64MB',
  default_statistics_target: '20', // an ANALYZE of 20 ms, not 150
}

/** `data` need not exist, its parent must. */
export async function startEngine(data: string): Promise<PGlite> {
  if (!existsSync(data)) await create(data)
  await checkMajor(data)
  return start(data)
}

async function create(data: string) {
  const unfinished = `${data}.new`
  await rm(unfinished, { recursive: true, force: true })
  const engine = await start(unfinished)
  await engine.close()
  await syncFolder(unfinished)
  await rename(unfinished, data)
  await syncFolder(dirname(data))
}

async function start(data: string): Promise<PGlite> {
  const said: string[] = []
  try {
    return await PGlite.create({
      fs: new DurableFiles(data),
      startParams: startParams(),
      onStderr(text) {
        said.splice(0, said.length - 20)
        said.push(text)
        return true
      },
    })
  } catch (error) {
    const reason =
      said.findLast((line) => /FATAL|PANIC|ERROR/.test(line)) ?? (error as Error).message
    throw new FolderUnusableError(`The database in ${data} cannot be opened: ${reason.trim()}`, {
      cause: error,
    })
  }
}

/** PGlite's own, but for `-F`, which turns fsync off. */
function startParams(): string[] {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return [...PGlite.defaultStartParams.filter((word) => word !== '-F'), ...settings]
}

async function checkMajor(data: string) {
  const file = join(data, 'PG_VERSION')
  const major = await readFile(file, 'utf8').catch(() => '')
  if (major.trim() === MAJOR) return
  throw new FolderUnusableError(
    major
      ? `The database in ${data} is of PostgreSQL ${major.trim()}, this version reads ${MAJOR}: start the version that made it, or set another DATA_DIR`
      : `${data} is no database: ${file} is missing. Restore it from a backup, or set another DATA_DIR`,
  )
}
