import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { type Dispatcher, defineDispatcher } from '../handlers/define-dispatcher.ts'
import { NoopEventHandler } from '../handlers/noop-event-handler.ts'
import type { TaskContext } from '../handlers/task-context.ts'
import { durationText } from '../joins/duration.ts'
import { defineJoin, type JoinDefinition } from '../joins/join.ts'
import { type JoinedEvents, JoinHandler } from '../joins/join-handler.ts'
import { JoinTransformHandler } from '../joins/join-transform-handler.ts'
import { File } from '../models/file.ts'
import { exampleEvent, explainJoins, type JoinRun, runHandler, runJoin } from './index.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-joins-'))
})
afterAll(() => rm(root, { recursive: true }))

const slotFor = (kind: string) => ({
  path: `$["data"][*][?(@["key"] = "kind" and @["value"] = "${kind}")]`,
  key: '$["data"][*][?(@["key"] = "sample")]["value"]',
})
const slots = { raw: slotFor('raw'), dark: slotFor('dark') }

/** Writes what each slot has, in order, into one file. */
const together = new JoinTransformHandler<'raw' | 'dark'>(async ({ slots, missing, output }) => {
  const file = await output.create('all.txt')
  for (const slot of ['raw', 'dark'] as const) {
    for (const { open } of slots[slot]?.input ?? []) file.write(await text(open()))
  }
  await new Promise<void>((done) => file.end(`missing: ${missing}`, done))
})

function dispatcherOf(more: Partial<JoinDefinition> = {}): Dispatcher {
  const given = { name: 'pair', slots, deadline: '2h', atDeadline: 'run', ...more } as const
  const rest = { path: '$["data"][*][?(@["key"] = "kind")]', handler: new NoopEventHandler() }
  return defineDispatcher({ name: 'd', routes: [rest], joins: [defineJoin(given, together)] })
}
const dispatcher = dispatcherOf()

function ingest(kind: string, content: string, more: { sample?: string; id?: number } = {}) {
  const { sample = 'S-7', id = kind === 'raw' ? 1 : 2 } = more
  const files = { 'a.txt': content }
  return exampleEvent({ transaction: { _id: id }, keyValues: { kind, sample }, files })
}
const RAW = ingest('raw', 'one\n')
const DARK = ingest('dark', 'two\n')
const DATA = { raw: { 'a.txt': 'one\n' }, dark: { 'a.txt': 'two\n' } }

const became = ({ places }: JoinRun) => places.map((place) => place.became)
const resultOf = ({ bundles }: JoinRun) => bundles.map(({ files }) => files[0]?.text)

test('the events of a join run its handler once, each with its own files', async () => {
  const run = await runJoin(dispatcher, { events: [DARK, RAW], data: DATA })
  expect(run).toMatchObject({
    ...{ outcome: 'done', error: undefined, join: 'pair', key: 'S-7', missing: [] },
    places: [
      { eventId: 'metadata.ingest.2', join: 'pair', slot: 'dark', key: 'S-7', became: 'filled' },
      { eventId: 'metadata.ingest.1', join: 'pair', slot: 'raw', key: 'S-7', became: 'filled' },
    ],
  })
  expect(resultOf(run)).toEqual(['one\ntwo\nmissing: '])
  expect(run.bundles[0]?.keyValues.map(({ value }) => value)).toEqual([1, 2])
})

test('files lie in a folder for each slot where there is one, else beside each other', async () => {
  const folder = join(root, 'files')
  for (const [place, content] of [
    ['raw/data', 'one\n'],
    ['data', 'two\n'],
  ] as const) {
    await mkdir(join(folder, place), { recursive: true })
    await writeFile(join(folder, place, 'a.txt'), content)
  }
  for (const data of [folder, pathToFileURL(folder)]) {
    const run = await runJoin(dispatcher, { events: [RAW, DARK], data })
    expect(resultOf(run), String(run.error)).toEqual(['one\ntwo\nmissing: '])
  }
  const own = { raw: pathToFileURL(join(folder, 'raw')), dark: DATA.dark }
  const run = await runJoin(dispatcher, { events: [RAW, DARK], data: own })
  expect(resultOf(run), String(run.error)).toEqual(['one\ntwo\nmissing: '])
})

test('without all events no handler runs, and what is missing is said', async () => {
  const run = await runJoin(dispatcher, { events: [RAW] })
  expect(run).toMatchObject({ outcome: 'waits', missing: ['dark'], bundles: [] })
  expect(run.error).toMatchObject({ code: 'JOIN_WAITS', join: 'pair', key: 'S-7' })
  expect(run.error?.message).toBe(
    'the join pair with the key "S-7" has raw and waits for dark: 2h after its first event it runs with what is there',
  )
})

test('at the deadline the handler runs with what is there, or the join fails, as its author chose', async () => {
  const given = { events: [RAW], data: DATA, atDeadline: true }
  const runs = await runJoin(dispatcher, given)
  expect(runs).toMatchObject({ outcome: 'done', missing: ['dark'] })
  expect(resultOf(runs)).toEqual(['one\nmissing: dark'])
  const fails = await runJoin(dispatcherOf({ atDeadline: 'fail' }), given)
  expect(fails).toMatchObject({ outcome: 'failed', bundles: [] })
  expect(fails.error).toMatchObject({ code: 'JOIN_INCOMPLETE', missing: ['dark'] })
})

test('another event for a filled slot is refused or takes its place; the same one changes nothing', async () => {
  const other = ingest('raw', 'one\n', { id: 3 })
  const events = [RAW, other, RAW, DARK]
  const keeps = await runJoin(dispatcher, { events, data: DATA })
  expect(became(keeps)).toEqual(['filled', 'taken', 'same', 'filled'])
  expect(keeps.bundles[0]?.keyValues[0]?.value).toBe(1)
  const replace = dispatcherOf({ onDuplicate: 'replace' })
  const replaced = await runJoin(replace, { events: [RAW, other, DARK], data: DATA })
  expect(became(replaced)).toEqual(['replaced', 'filled', 'filled'])
  expect(replaced.bundles[0]?.keyValues[0]?.value).toBe(3)
  const late = await runJoin(replace, { events: [RAW, DARK, other], data: DATA })
  expect(became(late)).toEqual(['filled', 'filled', 'late'])
})

test('events that do not fill one join are told apart, each with its place', async () => {
  const strange = exampleEvent({ eventID: 'strange' })
  const keyless = exampleEvent({ eventID: 'keyless', keyValues: { kind: 'dark' } })
  const elsewhere = ingest('dark', '', { sample: 'S-8' })
  const run = await runJoin(dispatcher, { events: [strange, RAW, elsewhere, keyless] })
  expect(run).toMatchObject({ outcome: 'apart', key: 'S-7', bundles: [] })
  expect(became(run)).toEqual(['refused', 'filled', 'apart', 'refused'])
  expect(run.error).toMatchObject({ code: 'EVENTS_APART' })
  expect(run.error?.message.split('\n')).toEqual([
    'the events do not fill one join',
    '  strange: no slot wants it',
    '  metadata.ingest.1: slot raw of the join pair, with the key "S-7"',
    '  metadata.ingest.2: slot dark of the join pair, with the key "S-8"',
    expect.stringContaining('keyless: the event is for slot dark of the join pair, and its key'),
  ])
  const none = await runJoin(dispatcher, { events: [] })
  expect(none).toMatchObject({ outcome: 'apart', join: undefined, key: undefined })
})

test('runHandler gives an event to joins first: it waits, or has no key', async () => {
  expect(await runHandler(dispatcher, { event: RAW })).toMatchObject({
    ...{ outcome: 'waits', route: undefined, routes: [] },
    error: { code: 'JOIN_WAITS', missing: ['dark'] },
  })
  const keyless = exampleEvent({ keyValues: { kind: 'raw' } })
  expect(await runHandler(dispatcher, { event: keyless })).toMatchObject({
    ...{ outcome: 'failed', error: { code: 'JOIN_KEY' } },
  })
  const other = exampleEvent({ keyValues: { kind: 'other' } })
  expect(await runHandler(dispatcher, { event: other })).toMatchObject({ route: 1 })
})

/** Fetches the files of all slots at once, each as often as it is told of. */
class AtOnce extends JoinHandler<'raw' | 'dark'> {
  override async handle(joined: JoinedEvents<'raw' | 'dark'>, context: TaskContext) {
    const events = [joined.events.raw, joined.events.dark].filter((event) => event !== undefined)
    const files = events.flatMap((event) => File.fromEvent(event))
    const openers = await context.downloader.download(context.folder, files)
    const said = await Promise.all(openers.map((open) => text(open())))
    context.log.info('read', { said, key: joined.key, missing: joined.missing })
  }
}

test('a handler alone is given its events by slot', async () => {
  const files = { 'b.txt': 'two\n' }
  const dark = Event.parse(JSON.stringify(exampleEvent({ files })))
  const data = { raw: { 'a.txt': 'one\n' }, dark: files }
  const run = await runJoin(new AtOnce(), { events: { dark, raw: RAW }, data, key: 'k' })
  expect(run, String(run.error)).toMatchObject({ outcome: 'done', join: undefined, places: [] })
  expect(run.log[0]?.fields).toEqual({ said: ['one\n', 'two\n'], key: 'k', missing: [] })
  const one = await runJoin(new AtOnce(), { events: { raw: RAW, dark: undefined }, data })
  expect(one.log[0]?.fields).toEqual({ said: ['one\n'], key: 'key', missing: ['dark'] })
})

test('files that two events tell of alike, and that may differ, are not guessed', async () => {
  const files = [{ name: 'a.txt' }]
  const events = { raw: exampleEvent({ files }), dark: exampleEvent({ files }) }
  const run = await runJoin(new AtOnce(), { events, data: DATA })
  expect(run).toMatchObject({ outcome: 'failed', error: { code: 'DATA_FOLDER' } })
  expect(run.error?.message).toContain('give their entries an _id or a hashsum')
})

test('of each slot it is said what it makes of an event, and of the chosen one the key', () => {
  const reportsOf = (given: object) =>
    explainJoins(dispatcher.joins, Event.parse(JSON.stringify(given)))
  expect(reportsOf(DARK)).toMatchObject([
    {
      name: 'pair',
      slots: [
        { name: 'raw', chosen: false, key: undefined, explanation: { matches: false } },
        { name: 'dark', chosen: true, key: 'S-7', noKey: undefined },
      ],
    },
  ])
  const [keyless] = reportsOf(exampleEvent({ keyValues: { kind: 'raw' } }))
  expect(keyless?.slots[0]).toMatchObject({
    ...{ chosen: true, key: undefined },
    noKey: { path: slots.raw.key, explanation: { matches: false } },
  })
})

test('a path that does too much work on an event ends the search there, as in the service', async () => {
  const costly = { path: '$..substring($..*,$..*).zz', key: '$["source"]' }
  const pair = dispatcherOf({ slots: { raw: costly, dark: slots.dark } })
  const event = ingest('dark', '')
  const entries = Array.from({ length: 5_000 }, (_, index) => ({ name: `file ${index}` }))
  const large = Event.parse(JSON.stringify({ ...event, data: [event['data'], entries].flat() }))
  const [report] = explainJoins(pair.joins, large)
  expect(report?.slots).toMatchObject([
    { chosen: false, explanation: { matches: null } },
    { chosen: false, key: undefined, explanation: { matches: true } },
  ])
  expect(await runHandler(pair, { event: large })).toMatchObject({
    ...{ outcome: 'failed', error: { code: 'JSONPATH_LIMIT' } },
  })
})

test.each([
  [7_200_000, '2h'],
  [5_400_000, '90min'],
  [172_800_000, '2d'],
  [1_500, '1500ms'],
])('a deadline of %i ms is told as %s', (ms, words) => {
  expect(durationText(ms)).toBe(words)
})
