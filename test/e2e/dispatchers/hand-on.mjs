/**
 * Hands its files on: what was noted as `for = a` becomes a result for b, and what was for b one for a. Run twice, as a
 * and as b, they work for one another for ever. All key-values are handed on, those of others' provenance too.
 */
import { pipeline } from 'node:stream/promises'
import { defineDispatcher, TransactionKeyValue, TransformHandler } from '@pacifica/core'

const handOn = async ({ input, output, keyValues }) => {
  for (const { file, open } of input) await pipeline(open(), await output.create(file.path))
  const other = keyValues.some(({ key, value }) => key === 'for' && value === 'a') ? 'b' : 'a'
  const next = new TransactionKeyValue({ key: 'for', value: other })
  return { keyValues: [...keyValues.filter(({ key }) => key !== 'for'), next] }
}

export default defineDispatcher({
  name: 'hand-on',
  routes: [{ path: '$["data"]', handler: new TransformHandler(handOn) }],
})
