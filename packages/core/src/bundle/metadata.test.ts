import { expect, test } from 'vitest'
import { TransactionDuplicateAttributeError } from '../models/errors.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { metadataText, mimetypeOf } from './metadata.ts'

test('metadata says whose the result is, what is noted on it, and what its files are', () => {
  const subject = {
    transaction: new Transaction({ submitter: 10, project: '1234é', instrument: 54 }),
    keyValues: [new TransactionKeyValue({ key: 'Tag', value: 'Blah' })],
  }
  const modified = new Date('2018-08-30T15:19:40.987Z')
  const text = metadataText(subject, [
    { path: 'a/b/foo.txt', size: 10, modified, sha1: 'd73e' },
    { path: 'bar.bin', size: 0, modified, sha1: 'd647' },
  ])
  const common = { hashtype: 'sha1', ctime: '2018-08-30T15:19:40', mtime: '2018-08-30T15:19:40' }
  expect(JSON.parse(text)).toEqual([
    { destinationTable: 'Transactions.submitter', value: 10 },
    { destinationTable: 'Transactions.project', value: '1234é' },
    { destinationTable: 'Transactions.instrument', value: 54 },
    { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
    {
      destinationTable: 'Files',
      name: 'foo.txt',
      subdir: 'a/b',
      size: 10,
      hashsum: 'd73e',
      mimetype: 'text/plain',
      ...common,
    },
    {
      destinationTable: 'Files',
      name: 'bar.bin',
      subdir: '',
      size: 0,
      hashsum: 'd647',
      mimetype: 'application/octet-stream',
      ...common,
    },
  ])
})

test('a transaction with an id is refused: Ingest assigns it', () => {
  const subject = { transaction: new Transaction({ _id: 1 }), keyValues: [] }
  expect(() => metadataText(subject, [])).toThrow(TransactionDuplicateAttributeError)
})

test.each([
  ['a.txt', 'text/plain'],
  ['A.TXT', 'text/plain'],
  ['a.csv', 'text/csv'],
  ['model.py', 'text/x-python'],
  ['a.tar.gz', 'application/gzip'],
  ['data.bin', 'application/octet-stream'],
  ['README', 'application/octet-stream'],
  ['x.unheard-of', 'application/octet-stream'],
])('%s is guessed to be %s', (name, type) => {
  expect(mimetypeOf(name)).toBe(type)
})
