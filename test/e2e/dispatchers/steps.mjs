/**
 * A handler that may be killed at every step: makes a result of its files. For some events it never ends when it is run
 * for the first time, and leaves a mark when it has come so far.
 */
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineDispatcher, TransformHandler } from '@pacifica/core'

const { STEPS_FOLDER } = process.env

const make = async ({ event, input, inputFolder, output }) => {
  const mark = join(STEPS_FOLDER, `${event.id}.in-handler`)
  if (event.type !== 'plain' && !existsSync(mark)) {
    for (const detached of [false, true]) spawn('sleep', ['1000'], { detached, stdio: 'ignore' })
    writeFileSync(mark, '')
    if (event.type === 'busy') for (;;) Math.sqrt(2)
    await new Promise(() => setInterval(() => {}, 1_000))
  }
  for (const { file } of input) {
    await copyFile(join(inputFolder, 'data', file.path), await output.inside(file.path))
  }
}

export default defineDispatcher({
  name: 'steps',
  routes: [{ path: '$', handler: new TransformHandler(make) }],
})
