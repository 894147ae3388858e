/** Which events this dispatcher takes, and which program gets them. */
import { CommandHandler, defineDispatcher } from '@pacifica/core'

/**
 * An ingested transaction that somebody marked with process-with = __NAME__. Results do not carry the mark, so that
 * their own events do not come back here.
 */
const ROUTE = `
$[?(
  $["eventType"] = "org.pacifica.metadata.ingest"
    and
  $["data"][*][?(
    @["destinationTable"] = "TransactionKeyValue"
      and
    @["key"] = "process-with"
      and
    @["value"] = "__NAME__"
  )]
)]`

export default defineDispatcher({
  name: '__NAME__',
  routes: [
    {
      path: ROUTE,
      handler: new CommandHandler(['python3', new URL('handler.py', import.meta.url)], {
        select: (file) => file.mimetype?.startsWith('text/') ?? false,
        timeout: 60 * 60_000,
        variables: { PYTHONUTF8: '1', PYTHONUNBUFFERED: '1' },
      }),
    },
  ],
})
