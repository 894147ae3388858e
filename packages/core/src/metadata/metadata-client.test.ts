import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { listenOn } from '../../../../test/pacifica/listening.ts'
import { ServiceAnswerError } from '../transfer/errors.ts'
import { MetadataClient } from './metadata-client.ts'

const closing: (() => Promise<void>)[] = []
const options = { since: new Date('2026-11-22T10:00:00Z'), signal: new AbortController().signal }
const wanted = { key: 'pacifica-dispatcher.task', value: 'T-1' }

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Answers every question alike, and notes what was asked. */
async function metadata(body: string, status = 200) {
  const asked: URL[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://metadata'))
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  const { url, close } = await listenOn(server)
  closing.push(close)
  return { client: new MetadataClient(url), asked }
}

test('the transactions with a key-value are found among all values of the key', async () => {
  const { client, asked } = await metadata('{"T-0":[66],"T-1":[69,68]}')
  expect(await client.transactionsWith(wanted, options)).toEqual([68, 69])
  expect(asked[0]?.pathname).toBe('/tkvinfo/values_for_key/pacifica-dispatcher.task')
  // Two days earlier: nobody knows in what zone Metadata's times are.
  expect(asked[0]?.searchParams.get('start_time')).toBe('2026-11-20T10:00:00')
})

test('a value that nobody has is in no transaction', async () => {
  const { client } = await metadata('{}')
  expect(await client.transactionsWith(wanted, options)).toEqual([])
})

test.each([
  ['a page of something else', '<html>', 200],
  ['a list', '[]', 200],
  ['an error', '{}', 500],
])('%s is no answer', async (_what, body, status) => {
  const { client } = await metadata(body, status)
  const asking = client.transactionsWith(wanted, options)
  await expect(asking).rejects.toThrow(ServiceAnswerError)
})
