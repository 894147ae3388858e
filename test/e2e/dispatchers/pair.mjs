/** Multiplies the numbers of a raw file by those of its calibration. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  defineDispatcher,
  defineJoin,
  JoinTransformHandler,
  NoopEventHandler,
} from '@pacifica/core'

const ofKind = (kind) => `$["data"][*][?(@["key"] = "kind" and @["value"] = "${kind}")]`
const key = '$["data"][*][?(@["key"] = "sample")]["value"]'

const numberIn = async (slot) =>
  Number(await readFile(join(slot.folder, 'data', slot.input[0].file.path), 'utf8'))

const calibrate = new JoinTransformHandler(async ({ slots, output }) => {
  const factor = slots.calibration ? await numberIn(slots.calibration) : 1
  const result = (await numberIn(slots.raw)) * factor
  await writeFile(await output.inside('calibrated.txt'), String(result))
})

const pair = {
  name: 'pair',
  slots: {
    raw: { path: ofKind('raw'), key },
    calibration: { path: ofKind('calibration'), key },
  },
  deadline: '2h',
  atDeadline: 'run',
}

export default defineDispatcher({
  name: 'calibrate',
  joins: [defineJoin(pair, calibrate)],
  routes: [{ path: '$["data"][*][?(@["key"] = "kind")]', handler: new NoopEventHandler() }],
})
