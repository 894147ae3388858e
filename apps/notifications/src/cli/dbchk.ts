/** `dbchk`: whether the service may run on the tables. As in Python: 0, or -1, which a shell shows as 255. */
import type { Log } from '@pacifica/platform'
import { troubleWithTables } from '../database/check.ts'
import { askService } from './admin-socket.ts'
import type { Command, Given } from './command.ts'
import { type CliConfig, NoDatabaseError, onDatabase, refuseMissing } from './open.ts'

export const dbchk: Command = {
  name: 'dbchk',
  help: `Ends with 0 when this version of the service may run on the tables, else with 255, and says why on standard error.

  --equal   they must be exactly those of this version`,
  options: { equal: { type: 'boolean' } },
}

const NOT_GOOD = 255

export async function runDbchk(
  needs: { log: Log; complain: (line: string) => void },
  config: CliConfig,
  given: Given,
): Promise<number> {
  const options = { equal: given.options['equal'] === true }
  const trouble = await look(needs, config, options)
  if (trouble === undefined) return 0
  needs.complain(trouble)
  return NOT_GOOD
}

async function look(
  needs: { log: Log },
  config: CliConfig,
  options: { equal: boolean },
): Promise<string | undefined> {
  try {
    refuseMissing(config)
  } catch (error) {
    if (error instanceof NoDatabaseError) return error.message
    throw error
  }
  return onDatabase(needs, config, {
    here: (database) => troubleWithTables(database, options),
    async held() {
      const pieces: string[] = []
      for await (const piece of askService(config.dataDir, 'dbchk', options)) pieces.push(piece)
      return pieces.length === 0 ? undefined : pieces.join('')
    },
  })
}
