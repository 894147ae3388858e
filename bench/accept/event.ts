/** An event of 1.5 kB as Pacifica Metadata sends it. Its `eventID` holds a mark, which `post-events.lua` replaces. */

/** As long as what replaces it: sixteen digits. */
const MARK = '################'

const KEYS = ['instrument.mode', 'instrument.ion', 'sample.barcode']

export function anEventText(): string {
  return JSON.stringify({
    cloudEventsVersion: '0.1',
    contentType: 'application/json',
    data: [
      { destinationTable: 'Transactions._id', value: 1234 },
      { destinationTable: 'Transactions.submitter', value: 10 },
      { destinationTable: 'Transactions.project', value: '1234a' },
      { destinationTable: 'Transactions.instrument', value: 54 },
      ...KEYS.map((key, n) => ({
        destinationTable: 'TransactionKeyValue',
        key,
        value: `value ${n}`,
      })),
      ...Array.from({ length: 3 }, (_, n) => ({
        _id: 100 + n,
        ctime: 'Thu Aug 30 15:19:40 PST 2018',
        destinationTable: 'Files',
        hashsum: `4b5e3e59af149a058366bed86b05500c0acd34e${n}`,
        hashtype: 'sha1',
        mimetype: 'text/plain',
        mtime: 'Thu Aug 30 15:19:40 PST 2018',
        name: `lipsum_${n}.txt`,
        size: 614 + n,
        subdir: 'data/set/one',
      })),
    ],
    eventID: `metadata.ingest.${MARK}`,
    eventTime: '2018-08-30T15:20:00Z',
    eventType: 'org.pacifica.metadata.ingest',
    source: 'http://metadata.pacifica.org/transactions',
  })
}
