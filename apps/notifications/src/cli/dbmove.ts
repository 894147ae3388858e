/** `dbmove`: an embedded database's rows go to a PostgreSQL server. */
import { existsSync } from 'node:fs'
import { type Log, openDatabase } from '@pacifica/platform'
import { moveTables } from '../database/move.ts'
import { type Command, type Given, textOf, UsageError } from './command.ts'
import { embeddedFolder, NoDatabaseError } from './open.ts'
import type { Output } from './run-event-command.ts'

export const dbmove: Command = {
  name: 'dbmove',
  help: `Copies the rows of an embedded database to an empty PostgreSQL database: all of them, compared, or none. The service
must be stopped. The folder stays as it is.

  --from DATA_DIR   the data folder of the service
  --to URL          postgresql://user:password@host:5432/database`,
  options: { from: { type: 'string' }, to: { type: 'string' } },
}

export async function runDbmove(
  needs: { log: Log; output: Output },
  given: Given,
): Promise<number> {
  const [from, url] = [textOf(given, 'from'), textOf(given, 'to')]
  if (from === undefined || url === undefined)
    throw new UsageError('dbmove needs --from DATA_DIR and --to URL')
  const folder = embeddedFolder(from)
  if (!existsSync(folder)) throw new NoDatabaseError(`There is no embedded database in ${from}`)
  const target = await openDatabase(needs, { url, folder, statementMs: 0, connectAttempts: 1 })
  try {
    const source = await openDatabase(needs, { folder })
    try {
      const moved = await moveTables(source, target)
      for (const { table, rows } of moved) await needs.output.write(`${table}: ${rows} rows\n`)
    } finally {
      await source.close()
    }
  } finally {
    await target.close()
  }
  await needs.output.write(
    `Moved. Start the service with DATABASE_URL, and with the same DATA_DIR: the key of the secrets stays there.\n`,
  )
  return 0
}
