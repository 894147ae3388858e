import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleEvent, runHandler } from '@pacifica/core/testing'
import dispatcher from './index.js'

test('the lines of the text files are counted', async () => {
  const sample = new URL('../sample/', import.meta.url)
  const run = await runHandler(dispatcher, { event: new URL('event.json', sample), data: sample })

  assert.equal(run.outcome, 'done', run.error?.message)
  const [bundle] = run.bundles
  assert.deepEqual(
    bundle?.files.map((file) => [file.path, file.text]),
    [['lines.csv', 'file,lines\nfox.txt,3\nrun 1/spectrum.csv,4\n']],
  )
  assert.deepEqual(bundle?.keyValues, [{ key: 'Transactions._id', value: 67 }])
})

test('a transaction without the mark is not taken', async () => {
  const run = await runHandler(dispatcher, { event: exampleEvent() })

  assert.equal(run.outcome, 'no-route')
})
