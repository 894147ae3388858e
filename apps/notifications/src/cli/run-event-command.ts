/** An event command from the command line to its output. */
import type { Log } from '@pacifica/platform'
import { troubleWithTables } from '../database/check.ts'
import { askService } from './admin-socket.ts'
import type { Given } from './command.ts'
import type { EventCommand } from './event-command.ts'
import { type CliConfig, NoDatabaseError, onDatabase, refuseMissing } from './open.ts'

export interface Output {
  write(text: string): Promise<void>
}

export async function runEventCommand<O>(
  needs: { log: Log; output: Output },
  config: CliConfig,
  command: EventCommand<O>,
  given: Given,
): Promise<number> {
  const options = command.read(given, new Date())
  refuseMissing(config)
  const print = async (pieces: AsyncIterable<string>) => {
    for await (const piece of pieces) await needs.output.write(piece)
    return 0
  }
  return onDatabase(needs, config, {
    async here(database) {
      const trouble = await troubleWithTables(database, { equal: false })
      if (trouble !== undefined) throw new NoDatabaseError(`Nothing was done: ${trouble}`)
      return print(command.run(database, options))
    },
    held: () => print(askService(config.dataDir, command.name, options)),
  })
}
