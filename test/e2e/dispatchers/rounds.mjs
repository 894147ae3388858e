/** Refines its own result three times, and sees to it that this ends: the third round makes no result. */
import { pipeline } from 'node:stream/promises'
import { defineDispatcher, TransactionKeyValue, TransformHandler } from '@pacifica/core'

const refine = async ({ input, output, keyValues }) => {
  const round = Number(keyValues.find(({ key }) => key === 'round')?.value)
  if (round === 3) return
  for (const { file, open } of input) await pipeline(open(), await output.create(file.path))
  return { keyValues: [new TransactionKeyValue({ key: 'round', value: String(round + 1) })] }
}

export default defineDispatcher({
  name: 'rounds',
  routes: [
    {
      path: '$["data"][*][?(@["key"] = "round")]',
      handler: new TransformHandler(refine),
      allowLoops: true,
    },
  ],
})
