import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { createTestDatabase } from '../../../../test/harness/index.ts'
import { createLog } from '../telemetry/log.ts'
import { databaseContract } from './database.contract.ts'
import { openDatabase } from './open-database.ts'

const log = createLog({ name: 'test', level: 'silent' })

describe('embedded', () => {
  let folder: string
  databaseContract(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacifica-db-'))
    return openDatabase({ log }, { folder })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
})

describe('PostgreSQL', () => {
  let drop: () => Promise<void>
  databaseContract(async () => {
    const { url, ...database } = await createTestDatabase()
    drop = database.drop
    return openDatabase({ log }, { url, folder: 'unused' })
  })
  afterAll(() => drop())
})
