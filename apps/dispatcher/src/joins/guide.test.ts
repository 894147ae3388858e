/** The example of docs/guides/wait-for-several-events.md, and that it is there as it is here. */
import { readFile, writeFile } from 'node:fs/promises'
import { defineDispatcher, defineJoin, JoinTransformHandler } from '@pacifica/core'
import { exampleEvent, runJoin } from '@pacifica/core/testing'
import { expect, test } from 'vitest'

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

// guide
const data = { raw: { 'raw.txt': '1\n2' }, calibration: { 'factor.txt': '1.5' } }
const ingest = (kind: 'raw' | 'calibration') =>
  exampleEvent({ keyValues: { kind, sample: 'S-7' }, files: data[kind] })

test('the raw file of a sample is multiplied by its calibration', async () => {
  const events = [ingest('calibration'), ingest('raw')]
  const run = await runJoin(dispatcher, { events, data })
  expect(run.outcome, run.error?.message).toBe('done')
  expect(run.bundles[0]?.files[0]?.text).toBe('1.5\n3')
})

test('without a calibration the raw file is what it was', async () => {
  const events = [ingest('raw')]
  expect(await runJoin(dispatcher, { events })).toMatchObject({ outcome: 'waits' })
  const run = await runJoin(dispatcher, { events, data, atDeadline: true })
  expect(run.missing).toEqual(['calibration'])
  expect(run.bundles[0]?.files[0]?.text).toBe('1\n2')
})
// end

test('the guide shows this code as it is', async () => {
  const root = new URL('../../../../', import.meta.url)
  const guide = await readFile(new URL('docs/guides/wait-for-several-events.md', root), 'utf8')
  const here = await readFile(new URL(import.meta.url), 'utf8')
  const parts = [...here.matchAll(/^\/\/ guide\n([\s\S]*?)^\/\/ end\n/gm)]
  expect(parts).toHaveLength(2)
  for (const [, code = ''] of parts) expect(guide).toContain(code.trim())
})
