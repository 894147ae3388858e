/**
 * Which events this dispatcher takes: an ingested transaction that somebody marked with example-key = example-value and
 * that has a text file. The result is not marked, so its own event does not come back here.
 */
export const ROUTE = `
$[?(
  $["eventType"] = "org.pacifica.metadata.ingest"
    and
  $["data"][*][?(
    @["destinationTable"] = "TransactionKeyValue"
      and
    @["key"] = "example-key"
      and
    @["value"] = "example-value"
  )]
    and
  $["data"][*][?(
    @["destinationTable"] = "Files"
      and
    @["mimetype"][substring(0, 5)] = "text/"
  )]
)]`
