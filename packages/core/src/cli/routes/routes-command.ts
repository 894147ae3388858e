/** `routes`: which route gets an event, and why the others do not. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { explainRoutes } from '../../routing/explain-routes.ts'
import { readEvent } from '../../testing/given-event.ts'
import { type Command, EXIT } from '../command.ts'
import { UsageError } from '../errors.ts'
import { loadModule } from '../load-module.ts'
import { showEvent } from '../show-event.ts'
import { showRoutes } from './show-routes.ts'

export const routesCommand: Command = {
  usage: '  pacifica-dispatcher routes --event FILE [MODULE]',
  async run(argv, { folder, out }) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { event: { type: 'string' } },
      allowPositionals: true,
    })
    if (values.event === undefined) throw new UsageError('say which event: --event FILE')
    const [module = '.', ...others] = positionals
    if (others.length > 0) throw new UsageError(`one module, not also ${others.join(', ')}`)
    const event = await readEvent(resolve(folder, values.event))
    const loaded = await loadModule(module, folder)
    const reports = explainRoutes(loaded.dispatcher.router.routes, event)
    out.write(`${showEvent(event, loaded)}\n\n${showRoutes(reports)}`)
    return reports.some(({ chosen }) => chosen) ? EXIT.done : EXIT.noRoute
  },
}
