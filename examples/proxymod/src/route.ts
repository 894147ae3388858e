/**
 * Which events this dispatcher takes: an ingested transaction whose key-values ask for proxymod and configure its first
 * model, and which has the two tables that the configuration names, and a model.
 */

/** The transaction has a key-value with this key, and this value if one is given. */
const noted = (key: string, value?: string) => `
  $["data"][*][?(
    @["destinationTable"] = "TransactionKeyValue"
      and
    @["key"] = "${key}"
      and
    @["value"]${value === undefined ? '' : ` = "${value}"`}
  )]`

/** It has a table that is called as the key-value says: two paths can be compared, too. */
const hasTable = (key: string) => `
  $["data"][*][?(
    @["destinationTable"] = "Files"
      and
    @["mimetype"] = "text/csv"
      and
    @["name"] = $["data"][*][?(
      @["destinationTable"] = "TransactionKeyValue"
        and
      @["key"] = "${key}"
    )]["value"]
  )]`

const HAS_MODEL = `
  $["data"][*][?(
    @["destinationTable"] = "Files"
      and
    @["mimetype"] = "text/x-python"
      and
    @["subdir"][substring(0, 6)] = "models"
  )]`

const INGESTED = '\n  $["eventType"] = "org.pacifica.metadata.ingest"'

const CONDITIONS = [
  INGESTED,
  noted('proxymod.task', 'advance'),
  noted('proxymod.version', 'v0.0.1'),
  hasTable('proxymod.config_1.INPUTS.in_file_one'),
  hasTable('proxymod.config_1.INPUTS.in_file_two'),
  HAS_MODEL,
]

export const ROUTE = `$[?(${CONDITIONS.join('\n    and')}\n)]`
