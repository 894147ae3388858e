import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { exampleEvent, runHandler } from '@pacifica/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import dispatcher from './index.ts'
import { inUpperCase, NotUtf8Error } from './uppercase.ts'

const run = promisify(execFile)

/** Two text files that are taken, a binary one that is not. */
const FILES = {
  'lipsum.txt': 'Lorem ipsum dolor sit amet.\n',
  'a/b/straße.csv': 'größe;é;\u{1d4d0}\n'.repeat(9_999),
  'image.png': new Uint8Array([0x89, 0x50, 0, 255]),
}
const RESULT = {
  'a/b/straße.csv': 'GRÖSSE;É;\u{1d4d0}\n'.repeat(9_999),
  'lipsum.txt': 'LOREM IPSUM DOLOR SIT AMET.\n',
}
const MARK = { 'example-key': 'example-value' }
const event = exampleEvent({ keyValues: MARK, files: FILES })

test('the text files of a marked transaction come back in upper case', async () => {
  const { outcome, error, bundles } = await runHandler(dispatcher, { event, data: FILES })
  expect(outcome, error?.message).toBe('done')
  const [bundle] = bundles
  const files = (bundle?.files ?? []).map((file) => [file.path, file.text])
  expect(Object.fromEntries(files)).toEqual(RESULT)
  expect(bundle).toMatchObject({
    transaction: { submitter: 10, project: '1234a', instrument: 54 },
    keyValues: [{ key: 'Transactions._id', value: 67 }],
  })
})

test('GNU tar unpacks the result', async () => {
  const out = await mkdtemp(join(tmpdir(), 'pacifica-uppercase-'))
  try {
    const { bundles } = await runHandler(dispatcher, { event, data: FILES, out })
    await run('tar', ['xf', bundles[0]?.tar ?? '', '-C', out])
    for (const [path, content] of Object.entries(RESULT)) {
      expect(await readFile(join(out, 'data', path), 'utf8')).toBe(content)
    }
  } finally {
    await rm(out, { recursive: true })
  }
})

test('the event that the result will cause is not taken again', async () => {
  const { bundles } = await runHandler(dispatcher, { event, data: FILES })
  const data = [
    ...(bundles[0]?.metadata ?? []),
    { destinationTable: 'Transactions._id', value: 68 },
  ]
  const next = await runHandler(dispatcher, { event: { ...event, data } })
  expect(next).toMatchObject({ outcome: 'no-route', error: { message: 'route not found' } })
})

test.each([
  ['without the mark', exampleEvent({ files: FILES })],
  ['without a text file', exampleEvent({ keyValues: MARK, files: { 'image.png': '' } })],
  ['that is no ingest', { ...event, data: { obj_type: 'Files', method: 'PUT' } }],
])('an event %s is not taken', async (_kind, other) => {
  expect(await runHandler(dispatcher, { event: other })).toMatchObject({ outcome: 'no-route' })
})

test('characters survive wherever the bytes are cut', async () => {
  const chunks = (content: string, cuts: readonly number[]) => {
    const bytes = Buffer.from(content)
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
    places.sort((a, b) => a - b)
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
  }
  const input = fc.string({ unit: fc.constantFrom('a', 'é', 'ß', 'パ', '\u{10428}', '\n') })
  await fc.assert(
    fc.asyncProperty(input, fc.array(fc.nat()), async (content, cuts) => {
      const stream = Readable.from(inUpperCase(Readable.from(chunks(content, cuts)), 'x'))
      expect(await text(stream)).toBe(content.toUpperCase())
    }),
  )
})

test('a file that is no UTF-8 fails the task and is named, instead of being spoilt', async () => {
  const latin1 = { 'lipsum.txt': Buffer.from('Stra\xdfe', 'latin1') }
  const given = { event: exampleEvent({ keyValues: MARK, files: latin1 }), data: latin1 }
  const { outcome, error } = await runHandler(dispatcher, given)
  expect(outcome).toBe('failed')
  expect(error).toBeInstanceOf(NotUtf8Error)
  expect(error?.message).toContain('lipsum.txt is not UTF-8')
})
