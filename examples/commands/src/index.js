/**
 * Two programs as handlers, in plain JavaScript: nothing to build. A transaction says which it wants by its key-value
 * `example-command`. Their results carry no such key-value, so their own events do not come back here.
 */
import { CommandHandler, defineDispatcher } from '@pacifica/core'

const file = (name) => new URL(name, import.meta.url)

const wants = (program) => `
$[?(
  $["eventType"] = "org.pacifica.metadata.ingest"
    and
  $["data"][*][?(
    @["destinationTable"] = "TransactionKeyValue"
      and
    @["key"] = "example-command"
      and
    @["value"] = "${program}"
  )]
)]`

export default defineDispatcher({
  name: 'commands',
  routes: [
    {
      path: wants('count-lines'),
      handler: new CommandHandler(['sh', file('count-lines.sh')], {
        select: ({ mimetype }) => mimetype?.startsWith('text/') ?? false,
        timeout: 10 * 60_000,
      }),
    },
    {
      path: wants('column-means'),
      handler: new CommandHandler(['python3', file('column_means.py'), '--digits', '3'], {
        select: ({ name }) => name?.endsWith('.csv') ?? false,
        variables: { PYTHONUTF8: '1', PYTHONUNBUFFERED: '1' },
        keep: { stdout: 'log/column-means.txt' },
        maxBytes: 1024 ** 3,
      }),
    },
  ],
})
