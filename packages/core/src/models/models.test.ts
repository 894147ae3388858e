import { expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { EventError, EventFieldError, TransactionDuplicateAttributeError } from './errors.ts'
import { File } from './file.ts'
import { Transaction } from './transaction.ts'
import { TransactionKeyValue } from './transaction-key-value.ts'

function eventWith(data: unknown): Event {
  const required = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1' }
  return Event.parse(JSON.stringify({ ...required, data }))
}

const FILE = {
  destinationTable: 'Files',
  _id: 34,
  name: 'foo.txt',
  subdir: 'a/b/',
  size: 128,
  hashtype: 'sha1',
  hashsum: 'f1d2',
  mimetype: 'text/plain',
  ctime: 'Tue Nov 29 14:09:05 PST 2016',
  mtime: '2016-11-29T14:09:05',
}
const INGEST = eventWith([
  { destinationTable: 'Transactions._id', value: 67 },
  { destinationTable: 'Transactions.submitter', value: 10 },
  { destinationTable: 'Transactions.project', value: '1234é' },
  { destinationTable: 'Transactions.instrument', value: 54 },
  { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
  { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 5 },
  { destinationTable: 'FileKeyValue', key: 'Tag', value: '5.66%', file_id: 34 },
  FILE,
  { ...FILE, _id: 35, name: 'bar.txt', subdir: null },
])

test('the files of an event come in its order with all that is said of them', () => {
  const { destinationTable, ...attributes } = FILE
  const [first, second, ...more] = File.fromEvent(INGEST)
  expect(first).toMatchObject(attributes)
  expect(second?.subdir).toBeUndefined()
  expect(more).toEqual([])
})

test.each([
  ['', 'x', 'x'],
  [undefined, 'x', 'x'],
  ['a/b', 'x', 'a/b/x'],
  ['a/b//', 'x', 'a/b/x'],
  ['/a', 'x', 'a/x'],
])('in subdir %j the file %j has the path %j', (subdir, name, path) => {
  expect(new File({ subdir, name }).path).toBe(path)
})

test('a file without a name has no path', () => {
  expect(() => new File({ subdir: 'a' }).path).toThrow(EventFieldError)
})

test('the transaction and its key-values are those of the event', () => {
  const transaction = Transaction.fromEvent(INGEST)
  expect({ ...transaction }).toEqual({
    _id: 67,
    submitter: 10,
    project: '1234é',
    instrument: 54,
    analytical_tool: undefined,
    description: undefined,
    suspense_date: undefined,
  })
  expect(TransactionKeyValue.fromEvent(INGEST).map((each) => ({ ...each }))).toEqual([
    { key: 'Tag', value: 'Blah' },
    { key: 'Tag', value: 5 },
  ])
})

test('a proposal, as older Metadata wrote, is the project', () => {
  const event = eventWith([{ destinationTable: 'Transactions.proposal', value: 'p1' }])
  expect(Transaction.fromEvent(event).project).toBe('p1')
})

test('an attribute given twice is an error that names it', () => {
  const entry = { destinationTable: 'Transactions.submitter', value: 1 }
  const event = eventWith([entry, entry])
  const read = () => Transaction.fromEvent(event)
  expect(read).toThrow(TransactionDuplicateAttributeError)
  expect(read).toThrow(EventError)
  expect(read).toThrow("field 'Transactions.submitter' is already defined")
  expect(read).toThrow(
    expect.objectContaining({
      code: 'TRANSACTION_DUPLICATE_ATTRIBUTE',
      attribute: 'submitter',
      event,
    }),
  )
})

test.each([
  ['an orm event', { obj_type: 'Files', obj_primary_keys: { _id: 1 }, method: 'PUT' }],
  ['no data', undefined],
  ['null', null],
  ['a string', 'x'],
  ['a list of odd things', [null, 1, 'x', [], {}]],
])('%s has no files, no attributes and no key-values', (_kind, data) => {
  const event = eventWith(data)
  expect(File.fromEvent(event)).toEqual([])
  expect(TransactionKeyValue.fromEvent(event)).toEqual([])
  expect(Transaction.fromEvent(event)).toEqual(new Transaction({}))
})

test('a field of the wrong kind is named', () => {
  const read = () => File.fromEvent(eventWith([{ ...FILE, size: '128' }]))
  expect(read).toThrow('Files: "size" must be a number, not "128"')
  expect(read).toThrow(EventFieldError)
})
