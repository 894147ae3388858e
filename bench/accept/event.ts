/** An event of 1.5 kB as Pacifica Metadata sends it. Its `eventID` holds a mark, which `post-events.lua` replaces. */
import { metadataEvent } from '../metadata-event.ts'

/** As long as what replaces it: sixteen digits. */
const MARK = '################'

const KEYS = ['instrument.mode', 'instrument.ion', 'sample.barcode']

export function anEventText(): string {
  const eventID = `metadata.ingest.${MARK}`
  const source = 'http://metadata.pacifica.org/transactions'
  return JSON.stringify(metadataEvent({ keys: KEYS, files: 3, eventID, source }))
}
