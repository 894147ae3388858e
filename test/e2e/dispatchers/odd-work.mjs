/**
 * Copies its files; by the event's type it burns the CPU for a while before that, or starts programs that go on when it
 * has ended.
 */
import { spawn } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineDispatcher, TransformHandler } from '@pacifica/core'

const make = async ({ event, input, inputFolder, output }) => {
  if (event.type === 'starts') {
    for (const detached of [false, true]) spawn('sleep', ['1000'], { detached, stdio: 'ignore' })
  }
  const end = Date.now() + (event.type === 'busy' ? 300 : 0)
  while (Date.now() < end) Math.sqrt(2)
  for (const { file } of input) {
    await copyFile(join(inputFolder, 'data', file.path), await output.inside(file.path))
  }
}

export default defineDispatcher({
  name: 'odd-work',
  routes: [{ path: '$', handler: new TransformHandler(make) }],
})
