import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { CommandHandler } from '../handlers/command/command-handler.ts'
import { defineDispatcher } from '../handlers/define-dispatcher.ts'
import { EventHandler } from '../handlers/event-handler.ts'
import { ExceptionEventHandler } from '../handlers/exception-event-handler.ts'
import { NoopEventHandler } from '../handlers/noop-event-handler.ts'
import type { TaskContext } from '../handlers/task-context.ts'
import { TransformHandler } from '../handlers/transform-handler.ts'
import { exampleEvent, runHandler } from './index.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-testing-'))
})
afterAll(() => rm(root, { recursive: true }))

const DATA = { 'a.txt': 'one\n', 'b/ü.bin': new Uint8Array([255, 0]) }
const EVENT = exampleEvent({ files: DATA, keyValues: { Tag: 'Blah' } })

const copy = new TransformHandler(async ({ input, output, log, progress }) => {
  for (const [index, { file, open }] of input.entries()) {
    progress({ step: 'copy', done: index, total: input.length })
    const target = await output.create(file.path)
    for await (const chunk of open()) target.write(chunk)
    await new Promise<void>((resolve) => target.end(resolve))
  }
  log.info('copied', { files: input.length })
})
const dispatcher = defineDispatcher({
  name: 'copies',
  routes: [
    { path: '$[?(@["eventType"] = "other")]', handler: new NoopEventHandler() },
    { path: '$["data"][*][?(@["key"] = "Tag")]', handler: copy },
    { path: '$', handler: new ExceptionEventHandler() },
  ],
})

/** Calls `work` as its handler's `handle`. */
function handlerThat(work: (context: TaskContext) => Promise<void>): EventHandler {
  class Given extends EventHandler {
    override handle(_event: Event, context: TaskContext): Promise<void> {
      return work(context)
    }
  }
  return new Given()
}

test('the first matching route’s handler runs, and its bundle is told as data', async () => {
  const run = await runHandler(dispatcher, { event: EVENT, data: DATA })
  expect(run).toMatchObject({
    ...{ outcome: 'done', error: undefined, route: 2, routes: [] },
    progress: [
      { step: 'download', total: 2 },
      { step: 'copy', done: 0, total: 2 },
      { step: 'copy', done: 1, total: 2 },
      { step: 'upload' },
    ],
  })
  expect(run.log[0]).toEqual({ level: 'info', message: 'copied', fields: { files: 2 } })
  const [bundle] = run.bundles
  expect(bundle).toMatchObject({
    ...{ number: 1, tar: undefined, folder: undefined },
    transaction: { submitter: 10, project: '1234a', instrument: 54 },
    keyValues: [{ key: 'Transactions._id', value: 67 }],
    files: [
      { path: 'a.txt', size: 4, mimetype: 'text/plain', text: 'one\n' },
      { path: 'b/ü.bin', size: 2, text: undefined, bytes: Buffer.from([255, 0]) },
    ],
  })
  const hashOf = (name: string) =>
    (EVENT['data'] as { name?: string; hashsum?: string }[]).find((entry) => entry.name === name)
      ?.hashsum
  expect(bundle?.files.map(({ sha1 }) => sha1)).toEqual([hashOf('a.txt'), hashOf('ü.bin')])
  expect(bundle?.metadata).toHaveLength(6)
})

test('files and event may lie in folders, and bundles are kept in one, in place of earlier ones', async () => {
  const [data, out] = [join(root, 'kept'), join(root, 'out')]
  await runHandler(copy, { event: EVENT, data: DATA, out: data })
  const event = join(root, 'event.json')
  await writeFile(event, JSON.stringify(EVENT))
  const given = join(data, 'bundle-1')
  const twice = handlerThat(async (context) => {
    await copy.handle(Event.parse(JSON.stringify(EVENT)), context)
    await copy.handle(Event.parse(JSON.stringify(EVENT)), context)
  })
  const first = await runHandler(twice, { event, data: given, out })
  expect(first.bundles.map(({ number }) => number)).toEqual([1, 2])
  const run = await runHandler(dispatcher, { event, data: given, out })
  expect(run.outcome, String(run.error)).toBe('done')
  expect((await readdir(out)).sort()).toEqual(['bundle-1', 'bundle-1.tar'])
  expect(run.bundles[0]).toMatchObject({
    tar: join(out, 'bundle-1.tar'),
    folder: join(out, 'bundle-1'),
  })
  expect(await readFile(join(out, 'bundle-1/data/b/ü.bin'))).toEqual(Buffer.from([255, 0]))
})

test('what the handler throws is in the result, with what it did before', async () => {
  const failing = new TransformHandler(async ({ log }) => {
    log.warn('about to fail')
    throw new TypeError('no such column')
  })
  const run = await runHandler(failing, { event: EVENT, data: DATA })
  expect(run).toMatchObject({ outcome: 'failed', route: undefined, bundles: [] })
  expect(run.error).toBeInstanceOf(TypeError)
  expect(run.log).toMatchObject([{ level: 'warn', message: 'about to fail' }])
})

test('where no route matches it is said of each why', async () => {
  const event = exampleEvent({ keyValues: { Tag: 'Blah' } })
  const picky = defineDispatcher({
    name: 'picky',
    routes: [{ path: '$["data"][*][?(@["key"] = "Taxon")]', handler: new NoopEventHandler() }],
  })
  const run = await runHandler(picky, { event })
  expect(run).toMatchObject({ outcome: 'no-route', route: undefined })
  expect(run.error).toMatchObject({ code: 'ROUTE_NOT_FOUND' })
  expect(run.routes).toMatchObject([
    {
      ...{ number: 1, chosen: false, version: 'v0.1', dialect: 'jsonpath2' },
      explanation: { matches: false, failed: { clause: '@["key"] = "Taxon"', offset: 15 } },
    },
  ])
})

test.each([
  ['no folder', undefined, 'DATA_FOLDER', '--data DIR'],
  ['a folder that is not there', '/nowhere/at/all', 'DATA_FOLDER', 'is not there'],
  ['a folder without data in it', import.meta.dirname, 'DATA_FOLDER', 'no folder "data"'],
  ['files that are missing', { 'a.txt': 'one\n' }, 'FILES_MISSING', 'b/ü.bin'],
  ['files of another size', { ...DATA, 'a.txt': 'x' }, 'FILES_TRUNCATED', 'a.txt'],
])('%s: the error says what is wrong', async (_name, data, code, words) => {
  const options = data === undefined ? {} : { data }
  const run = await runHandler(copy, { event: EVENT, ...options })
  expect(run).toMatchObject({ outcome: 'failed', error: { code } })
  expect(run.error?.message).toContain(words)
})

test.each([
  ['is not there', 'nowhere.json', 'is not there'],
  ['is a folder', '.', 'is a folder'],
  ['is no event', 'no-event.json', 'holds no event: neither "cloudEventsVersion"'],
])('an event file that %s ends the run before it begins', async (_name, name, words) => {
  await writeFile(join(root, 'no-event.json'), '{}')
  const run = runHandler(copy, { event: join(root, name) })
  await expect(run).rejects.toMatchObject({ code: 'EVENT_FILE' })
  await expect(run).rejects.toThrow(words)
})

const untilAborted = ({ signal }: TaskContext) =>
  new Promise<void>((_resolve, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

test('a handler that takes too long is told by its signal', async () => {
  const run = await runHandler(handlerThat(untilAborted), { event: EVENT, timeoutMs: 1 })
  expect(run).toMatchObject({ outcome: 'timed-out', error: { code: 'RUN_TIMEOUT' } })
})

test('a run can be called off', async () => {
  const caller = new AbortController()
  const handler = handlerThat((context) => {
    caller.abort(new Error('enough'))
    return untilAborted(context)
  })
  const run = await runHandler(handler, { event: EVENT, signal: caller.signal })
  expect(run).toMatchObject({ outcome: 'aborted', error: { message: 'enough' } })
  const second = await runHandler(handler, { event: EVENT, signal: caller.signal })
  expect(second).toMatchObject({ outcome: 'aborted', error: { message: 'enough' } })
})

test('a handler that does not listen to its signal is not waited for for ever', async () => {
  const deaf = handlerThat(() => new Promise<void>(() => undefined))
  const run = await runHandler(deaf, { event: EVENT, timeoutMs: 1, graceMs: 1 })
  expect(run).toMatchObject({ outcome: 'timed-out', error: { code: 'SIGNAL_IGNORED' } })
})

test('variables are the handler’s for the run, and put back', async () => {
  const seen: unknown[] = []
  const handler = handlerThat(async () => {
    seen.push(process.env['PACIFICA_TRY'], process.env['HOME'])
  })
  const home = process.env['HOME']
  await runHandler(handler, { event: EVENT, env: { PACIFICA_TRY: 'x', HOME: undefined } })
  expect(seen).toEqual(['x', undefined])
  expect([process.env['PACIFICA_TRY'], process.env['HOME']]).toEqual([undefined, home])
  const program = new CommandHandler(['sh', '-c', 'echo "$TOKEN" > "$2/uploads/token"', 'sh'], {
    environment: ['TOKEN'],
  })
  const run = await runHandler(program, { event: EVENT, data: DATA, env: { TOKEN: 'secret' } })
  expect(run.bundles[0]?.files, String(run.error)).toMatchObject([
    { path: 'token', text: 'secret\n' },
  ])
})

test('the scratch folder is gone afterwards, however it went', async () => {
  const folders: string[] = []
  const handler = handlerThat(async ({ folder }) => {
    folders.push(folder)
    await writeFile(join(folder, 'left'), 'x')
    throw new Error('no')
  })
  await runHandler(handler, { event: EVENT })
  await expect(readdir(folders[0] as string)).rejects.toThrow('ENOENT')
})

test('how far it is is told while it runs', async () => {
  const told: unknown[] = []
  await runHandler(copy, {
    ...{ event: EVENT, data: DATA },
    onLog: ({ message }) => told.push(message),
    onProgress: ({ step }) => told.push(step),
    onTransfer: ({ kind, bytes, total }) => bytes === total && told.push(`${kind} ${total}`),
  })
  const words = ['download', 'download 6', 'copy', 'copy', 'copied', 'upload']
  expect(told.slice(0, 6)).toEqual(words)
  expect(told.at(-1)).toBe('transform.uploaded')
})

test('an example event is one that Metadata could send', () => {
  const event = Event.parse(
    JSON.stringify(
      exampleEvent({
        ...{ transaction: { _id: 5, project: undefined }, eventID: 'e' },
        ...{ files: [{ name: 'x', size: 1 }], entries: [{ destinationTable: 'FileKeyValue' }] },
      }),
    ),
  )
  expect(event).toMatchObject({ id: 'e', type: 'org.pacifica.metadata.ingest' })
  expect(event.source).toContain('_id=5')
  expect(event.data).toEqual([
    { destinationTable: 'Transactions._id', value: 5 },
    { destinationTable: 'Transactions.submitter', value: 10 },
    { destinationTable: 'Transactions.instrument', value: 54 },
    { destinationTable: 'Files', name: 'x', size: 1 },
    { destinationTable: 'FileKeyValue' },
  ])
})
