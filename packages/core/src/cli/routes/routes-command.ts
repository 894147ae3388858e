/** `routes`: which join or route gets an event, and why the others do not. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { explainJoins } from '../../joins/explain-joins.ts'
import { explainRoutes } from '../../routing/explain-routes.ts'
import { readEvent } from '../../testing/given-event.ts'
import { type Command, EXIT } from '../command.ts'
import { UsageError } from '../errors.ts'
import { loadModule } from '../load-module.ts'
import { showEvents } from '../show-event.ts'
import { showJoins, takenBy } from './show-joins.ts'
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
    const { joins = [], router } = loaded.dispatcher
    const inJoins = explainJoins(joins, event)
    const reports = explainRoutes(router.routes, event)
    const taken = takenBy(inJoins)
    const shown = [showJoins(inJoins), showRoutes(reports, taken?.join)].filter(
      (text) => text !== '',
    )
    out.write(`${showEvents([event], loaded)}\n\n${shown.join('\n')}`)
    const refused = taken !== undefined && taken.key === undefined
    const routed = taken !== undefined || reports.some(({ chosen }) => chosen)
    return routed && !refused ? EXIT.done : EXIT.noRoute
  },
}
