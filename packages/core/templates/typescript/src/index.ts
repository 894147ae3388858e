/** Which events this dispatcher takes, and which handler gets them. */
import { defineDispatcher, TransformHandler } from '@pacifica/core'
import { countLines } from './count-lines.ts'

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
      handler: new TransformHandler(countLines, {
        select: (file) => file.mimetype?.startsWith('text/') ?? false,
      }),
    },
  ],
})
