/**
 * Waits for a raw file and its calibration. Writes both into one; while the folder JOINED_FOLDER holds a file `hold`, it says
 * that it is at work and waits.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  defineDispatcher,
  defineJoin,
  JoinTransformHandler,
  NoopEventHandler,
} from '@pacifica/core'

const folder = process.env.JOINED_FOLDER ?? '.'
const slot = (type) => ({
  path: `$[?(@["eventType"] = "${type}")]`,
  key: '$["data"][*][?(@["key"] = "sample")]["value"]',
})

const both = new JoinTransformHandler(async ({ key, slots, missing, output, signal }) => {
  writeFileSync(join(folder, `${key}.in-handler`), '')
  while (existsSync(join(folder, 'hold'))) await sleep(20, undefined, { signal })
  const result = await output.inside(`${key}.txt`)
  for (const { folder: from, input } of Object.values(slots).filter(Boolean)) {
    for (const { file } of input) {
      await appendFile(result, await readFile(join(from, 'data', file.path)))
    }
  }
  await appendFile(result, `missing ${missing.length}`)
})

const pair = (name, deadline, atDeadline) =>
  defineJoin(
    {
      name,
      slots: { raw: slot(`${name}-raw`), calibration: slot(`${name}-calibration`) },
      deadline,
      atDeadline,
    },
    both,
  )

export default defineDispatcher({
  name: 'joined',
  joins: [pair('patient', '1h', 'fail'), pair('runs', '1s', 'run'), pair('fails', '1s', 'fail')],
  routes: [{ path: '$', handler: new NoopEventHandler() }],
})
