import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openDatabase } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { createTestDatabase, silentLog as log } from '../../../../test/harness/index.ts'
import { claimTasks, recordResult } from '../tasks/store.ts'
import { settle } from '../tasks/task.ts'
import { readUploads } from '../tasks/upload-store.ts'

const MIGRATIONS = join(import.meta.dirname, '../../../../prisma/dispatcher/migrations')
const ISOLATION = '20261122100000_isolation'

test('tasks of a version without child processes go on, and what they had uploaded is known', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'upgrade-'))
  const server = await createTestDatabase()
  const database = await openDatabase({ log }, { url: server.url, folder })
  try {
    for (const name of await readdir(MIGRATIONS)) {
      if (name < ISOLATION)
        await cp(join(MIGRATIONS, name), join(folder, name), { recursive: true })
    }
    await migrate(database, folder)
    const [done, running] = [randomUUID(), randomUUID()]
    await database.query(
      `INSERT INTO task (id, digest, source, event_id, event, state, attempts, bundles)
       VALUES ($1, 'a', '/s', 'a', '{}', 'done', 1, '[{"bundle":"/a.tar","jobId":null},{"bundle":null,"jobId":7}]'),
              ($2, 'b', '/s', 'b', '{}', 'running', 1, '[]')`,
      [done, running],
    )
    await migrate(database, MIGRATIONS)
    expect(await readUploads(database, done)).toMatchObject([
      { number: 1, state: 'done', bundle: '/a.tar', jobId: null, last: false },
      { number: 2, state: 'done', bundle: null, jobId: 7, last: false },
    ])
    const options = { limit: 9, leaseMs: 60_000, maxStarts: 5, worker: 'me', except: [] }
    const [held, ...others] = await claimTasks(database, options)
    expect(others).toEqual([])
    expect(held).toMatchObject({ id: running, attempts: 2, retries: 0, process: null })
    if (held) expect(await recordResult(database, held, settle({ kind: 'done' }))).toBe(true)
  } finally {
    await database.close()
    await server.drop()
    await rm(folder, { recursive: true })
  }
})
