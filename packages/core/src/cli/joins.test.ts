/** The commands on events that are for a join. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exampleEvent } from '../testing/index.ts'
import { runCli } from './run-cli.ts'

const MODULE = fileURLToPath(new URL('../../../../test/e2e/dispatchers/pair.mjs', import.meta.url))

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-cli-joins-'))
  await mkdir(join(root, 'files/data'), { recursive: true })
  await event('raw', 1, { kind: 'raw', sample: 'S-7' }, '20')
  await event('calibration', 2, { kind: 'calibration', sample: 'S-7' }, '1.5')
  await event('elsewhere', 3, { kind: 'calibration', sample: 'S-8' }, '3')
  await event('keyless', 4, { kind: 'raw' }, '4')
  await event('other', 5, { kind: 'other' }, '5')
  await event('strange', 6, {}, '6')
})
afterAll(() => rm(root, { recursive: true }))

async function event(name: string, _id: number, keyValues: Record<string, string>, file: string) {
  const files = { [`${name}.txt`]: file }
  const given = exampleEvent({ transaction: { _id }, eventID: name, keyValues, files })
  await writeFile(join(root, `${name}.json`), JSON.stringify(given))
  await writeFile(join(root, 'files/data', `${name}.txt`), file)
}

async function cli(words: string) {
  const [out, errors] = [new PassThrough(), new PassThrough()]
  const said = Promise.all([text(out), text(errors)])
  const { signal } = new AbortController()
  const code = await runCli(words.split(' '), { folder: root, out, errors, signal })
  out.end()
  errors.end()
  const [results, more] = await said
  return { code, out: results, errors: more }
}
const run = (events: string, more = '') =>
  cli(`run ${events.replaceAll(/\w+/g, '--event $&.json')} --data files --out out${more} ${MODULE}`)
const routes = (name: string) => cli(`routes --event ${name}.json ${MODULE}`)

test('routes says which slot of which join gets the event, and with which key', async () => {
  const { code, out } = await routes('calibration')
  expect(code).toBe(0)
  expect(out).toContain('dispatcher  calibrate, 1 join, 1 route')
  expect(out).toContain('join pair, slot raw does not match\n  at line 1, column 38: ')
  expect(out).toContain('@["value"] is "calibration"')
  expect(out).toContain('join pair, slot calibration gets the event, with the key "S-7"\n')
  expect(out).toContain('route 1 matches too, but the join pair gets the event\n')
})

test('routes says why an event has no key, or why no join is for it', async () => {
  const keyless = await routes('keyless')
  expect(keyless.code).toBe(3)
  expect(keyless.out).toContain(
    'join pair, slot raw matches, but finds no key in the event, which is refused\n',
  )
  expect(keyless.out).toContain('  at line 1, column 16: ')
  const other = await routes('other')
  expect(other.code).toBe(0)
  expect(other.out).toContain('join pair, slot raw does not match\n')
  expect(other.out).toContain('route 1 matches, and gets the event\n')
  expect((await routes('strange')).code).toBe(3)
})

test('run runs the events of a join once', async () => {
  const { code, out, errors } = await run('raw calibration')
  expect(code, errors).toBe(0)
  expect(out.replace(/in [\d.]+ s/, 'in 0 s')).toBe(`\
event raw fills slot raw of the join pair, key "S-7"
event calibration fills slot calibration of the join pair, key "S-7"
bundle 1: out/bundle-1.tar, 3584 bytes
  data/calibrated.txt  2 bytes, text/plain
  submitter: 10
  project: 1234a
  instrument: 54
  Transactions._id = 1
  Transactions._id = 2
done in 0 s by the join pair
`)
  expect(errors).toContain('event       raw, org.pacifica.metadata.ingest\n')
})

test('run says what one event of a join would wait for, and runs it as at the deadline', async () => {
  const waits = await run('raw')
  expect(waits).toMatchObject({
    code: 4,
    out: expect.stringContaining(
      'no handler ran: the join pair with the key "S-7" has raw and waits for calibration',
    ),
  })
  expect(waits.out).toContain('--at-deadline')
  const now = await run('raw', ' --at-deadline')
  expect(now).toMatchObject({ code: 0, out: expect.stringContaining('2 bytes, text/plain') })
  expect(now.out).toContain('by the join pair, at its deadline without calibration\n')
})

test('run says where each of several events goes when they do not fill one join', async () => {
  const { code, out } = await run('raw elsewhere other')
  expect(code).toBe(3)
  expect(out).toBe(`\
event raw fills slot raw of the join pair, key "S-7"
event elsewhere is apart from the first, for slot calibration of the join pair, key "S-8"
event other goes into no join: no slot wants it
the events do not fill one join, so no handler ran
`)
})

test('run gives what is for no join to the routes, and says of both why when none is there', async () => {
  expect(await run('other')).toMatchObject({ code: 0, out: expect.stringMatching(/by route 1\n$/) })
  const strange = await run('strange')
  expect(strange.code).toBe(3)
  expect(strange.out).toContain('no join and no route takes the event\n\njoin pair, slot raw does')
  expect(strange.out).toContain('\nroute 1 does not match\n')
  const keyless = await run('keyless')
  expect(keyless).toMatchObject({ code: 1, out: expect.stringContaining('mend the slot') })
  const wrong = await run('other', ' --at-deadline')
  expect(wrong).toMatchObject({ code: 2, errors: expect.stringContaining('--at-deadline is for') })
})
