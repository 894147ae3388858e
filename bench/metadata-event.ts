/** An event as Pacifica Metadata sends it, of the size that is wanted. */

export interface MetadataEvent {
  /** Keys of the key-values; the n-th has `value n`. */
  readonly keys: readonly string[]
  readonly files: number
  readonly eventID: string
  readonly source: string
}

/** 24 keys and 7 files are 35 items, 4.7 kB; 3 of each are 1.5 kB. */
export function metadataEvent({ keys, files, eventID, source }: MetadataEvent) {
  return {
    cloudEventsVersion: '0.1',
    contentType: 'application/json',
    data: [
      { destinationTable: 'Transactions._id', value: 1234 },
      { destinationTable: 'Transactions.submitter', value: 10 },
      { destinationTable: 'Transactions.project', value: '1234a' },
      { destinationTable: 'Transactions.instrument', value: 54 },
      ...keys.map((key, n) => ({
        destinationTable: 'TransactionKeyValue',
        key,
        value: `value ${n}`,
      })),
      ...Array.from({ length: files }, (_, n) => ({
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
    eventID,
    eventTime: '2018-08-30T15:20:00Z',
    eventType: 'org.pacifica.metadata.ingest',
    source,
  }
}
