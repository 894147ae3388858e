/** An event command from the command line to its output. */
import { createRabbitmqTransport, type Log } from '@pacifica/platform'
import { troubleWithTables } from '../database/check.ts'
import { askService } from './admin-socket.ts'
import type { Given } from './command.ts'
import type { EventCommand, Means } from './event-command.ts'
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
      return withMeans(needs.log, config, command, (means) =>
        print(command.run(database, options, means)),
      )
    },
    held: () => print(askService(config.dataDir, command.name, options)),
  })
}

async function withMeans<T>(
  log: Log,
  { brokerUrl: url }: CliConfig,
  { needsBroker = false }: { needsBroker?: boolean },
  act: (means: Means) => Promise<T>,
): Promise<T> {
  if (!needsBroker || url === undefined) return act({})
  const transport = createRabbitmqTransport({ log }, { url, name: 'notifications-cmd' })
  try {
    return await act({ intake: transport.intake })
  } finally {
    await transport.close()
  }
}
