/** The example of docs/guides/wait-for-several-events.md, and that it is there as it is here. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defineDispatcher,
  defineJoin,
  Event,
  JoinTransformHandler,
  LocalDownloaderRunner,
  placeOf,
  UploaderRunner,
} from '@pacifica/core'
import { expect, test } from 'vitest'
import { runHere } from '../isolation/run-here.ts'

// guide
const ingestOf = (kind: string) => `$["data"][*][?(@["key"] = "kind" and @["value"] = "${kind}")]`
const SAMPLE = '$["data"][*][?(@["key"] = "sample")]["value"]'

const calibrate = new JoinTransformHandler<'raw' | 'calibration'>(
  async ({ key, slots, missing, output, log }) => {
    const lines = await linesOf(slots.raw?.input)
    const factor = slots.calibration ? Number((await linesOf(slots.calibration.input))[0]) : 1
    if (missing.includes('calibration')) log.warn('not calibrated', { sample: key })
    const result = lines.map((line) => Number(line) * factor).join('\n')
    await writeFile(await output.inside('calibrated.txt'), result)
  },
)

const dispatcher = defineDispatcher({
  name: 'calibrate',
  joins: [
    defineJoin(
      {
        name: 'pair',
        slots: {
          raw: { path: ingestOf('raw'), key: SAMPLE },
          calibration: { path: ingestOf('calibration'), key: SAMPLE },
        },
        deadline: '2h',
        atDeadline: 'run',
      },
      calibrate,
    ),
  ],
  routes: [],
})
// end

type Input = readonly { open(): AsyncIterable<Uint8Array> }[]
async function linesOf(input: Input = []): Promise<string[]> {
  const chunks: Uint8Array[] = []
  for (const { open } of input) for await (const chunk of open()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8').split('\n')
}

test('the guide shows this code as it is', async () => {
  const root = new URL('../../../../', import.meta.url)
  const guide = await readFile(new URL('docs/guides/wait-for-several-events.md', root), 'utf8')
  const here = await readFile(new URL(import.meta.url), 'utf8')
  const [, code = ''] = /\/\/ guide\n([\s\S]*?)\/\/ end\n/.exec(here) ?? []
  expect(code).toContain('defineJoin')
  expect(guide).toContain(code.trim())
})

test('and it does what the guide says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'joins-guide-'))
  try {
    await mkdir(join(folder, 'in/data'), { recursive: true })
    await writeFile(join(folder, 'in/data/raw'), '1\n2')
    await writeFile(join(folder, 'in/data/calibration'), '1.5')
    const event = (kind: string) => {
      const data = [
        { destinationTable: 'TransactionKeyValue', key: 'kind', value: kind },
        { destinationTable: 'TransactionKeyValue', key: 'sample', value: 'S-7' },
        { destinationTable: 'Files', _id: 1, name: kind, subdir: '' },
      ]
      const required = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: kind }
      return Event.parse(JSON.stringify({ ...required, data }))
    }
    const given = { raw: event('raw'), calibration: event('calibration') }
    for (const [slot, one] of Object.entries(given)) {
      expect(placeOf(dispatcher.joins, one)).toMatchObject({ slot, key: 'S-7' })
    }
    let result = ''
    class Uploads extends UploaderRunner {
      override async upload(from: string) {
        result = await readFile(join(from, 'calibrated.txt'), 'utf8')
        return { bundle: undefined, jobId: undefined, state: {} }
      }
    }
    const context = {
      ...{ taskId: 'T', signal: new AbortController().signal, folder, provenance: [] },
      ...{ downloader: new LocalDownloaderRunner(join(folder, 'in')), uploader: new Uploads() },
      ...{ log: { info() {}, warn() {}, error() {} }, progress() {} },
    }
    const run = (events: Record<string, Event>) =>
      runHere(
        dispatcher,
        { event: given.raw, joined: { join: 'pair', key: 'S-7', events } },
        context,
        '/',
      )
    expect(await run(given)).toEqual({ kind: 'done' })
    expect(result).toBe('1.5\n3')
    expect(await run({ raw: given.raw })).toEqual({ kind: 'done' })
    expect(result).toBe('1\n2')
  } finally {
    await rm(folder, { recursive: true })
  }
})
