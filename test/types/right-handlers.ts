/** What authors write, in the forms that they write it in: all of it compiles. Nothing here is ever run. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import {
  CommandHandler,
  type Dispatcher,
  DownloaderRunner,
  type DownloadOptions,
  defineDispatcher,
  defineJoin,
  type Event,
  EventHandler,
  File,
  type JoinDefinition,
  type JoinedEvents,
  JoinHandler,
  type JoinTransform,
  JoinTransformHandler,
  NoopEventHandler,
  type Opener,
  type RouteDefinition,
  type TaskContext,
  Transaction,
  TransactionKeyValue,
  type Transform,
  TransformHandler,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import { exampleEvent, type JoinRun, runJoin } from '@pacifica/core/testing'

export class Whole extends EventHandler {
  readonly #marks: readonly string[]

  constructor(...marks: string[]) {
    super()
    this.#marks = marks
  }

  override async handle(event: Event, { downloader, uploader, ...task }: TaskContext) {
    const files = File.fromEvent(event).filter(({ name }) => this.#marks.includes(name ?? ''))
    const openers = await downloader.download(task.folder, files, { signal: task.signal })
    task.progress({ step: 'opened', done: openers.length, total: files.length })
    const uploaded = await uploader.upload(task.folder, {
      transaction: Transaction.fromEvent(event),
      keyValues: task.provenance,
      last: true,
    })
    task.log.info('done', { job: uploaded.jobId ?? null })
  }
}

const noted: Transform = async ({ output, signal }) => {
  signal.throwIfAborted()
  await output.create('a.txt')
  return { keyValues: [new TransactionKeyValue({ key: 'method', value: 1 })] }
}

/** Something, or nothing; and each branch something else. */
async function perhaps(input: { transaction: Transaction }) {
  if (input.transaction.project === undefined) return
  if (input.transaction.submitter === 10) return { keyValues: [] }
  return { transaction: input.transaction }
}

class Named extends TransformHandler {
  constructor() {
    super(async () => ({ keyValues: [] }))
  }
}

const handlers: EventHandler[] = [
  new Whole('a', 'b'),
  new NoopEventHandler(),
  new TransformHandler(noted, { select: ({ mimetype }) => mimetype === 'text/csv' }),
  new TransformHandler(async () => {}),
  new TransformHandler(async () => undefined, { transferTimeout: 1_000 }),
  new TransformHandler(async ({ transaction }) => ({ transaction })),
  new TransformHandler(perhaps),
  new Named(),
  new CommandHandler(['sh', new URL('file:///run.sh'), '-x'], {
    version: 'v1.0',
    keep: { stdout: 'log.txt' },
    result: (event) => ({ keyValues: [new TransactionKeyValue({ key: 'of', value: event.id })] }),
  }),
  // No class of ours is needed, only the method.
  { handle: async () => {} },
]

const routes: RouteDefinition[] = handlers.map((handler) => ({ path: '$.data', handler }))

const slot = { path: '$["data"]', key: '$["source"]' }
const pair = {
  name: 'pair',
  slots: { raw: slot, dark: { ...slot, version: 'v1.0' } },
  deadline: '2h',
  atDeadline: 'run',
} as const

class Both extends JoinHandler<'raw' | 'dark'> {
  override async handle({ events, missing }: JoinedEvents<'raw' | 'dark'>, context: TaskContext) {
    const first: 'raw' | 'dark' | undefined = missing[0]
    context.log.info('both', { raw: events.raw?.id, first })
  }
}

/** For a join of any slots. */
class Any extends JoinHandler {
  override async handle({ key, events }: JoinedEvents) {
    for (const event of Object.values(events)) event?.text.includes(key)
  }
}

const said: JoinTransform<'raw' | 'dark'> = async ({ slots }) => {
  return slots.raw && { transaction: slots.raw.transaction }
}

const joins: JoinDefinition[] = [
  defineJoin(pair, new Both()),
  defineJoin(pair, new Any()),
  defineJoin({ ...pair, onDuplicate: 'replace', onLate: 'refuse', allowLoops: true }, new Any()),
  defineJoin(pair, new JoinTransformHandler(said, { select: (_file, from) => from === 'raw' })),
  defineJoin(
    pair,
    new JoinTransformHandler(async ({ slots, output }) => {
      await output.create(slots.dark?.keyValues[0]?.key ?? 'none')
    }),
  ),
  { ...pair, handler: new Any() },
]

export const dispatcher: Dispatcher = defineDispatcher({ name: 'right', routes, joins })

const event = exampleEvent()

export const runs: Promise<JoinRun>[] = [
  runJoin(dispatcher, { events: [event, '/event.json', new URL('file:///event.json')] }),
  runJoin(dispatcher, { events: [event], data: '/files', out: '/out', atDeadline: true }),
  runJoin(new Both(), { events: { raw: event, dark: undefined }, data: { 'a.txt': 'a' } }),
  runJoin(new Both(), { events: { raw: event, dark: event }, data: { raw: { 'a.txt': 'a' } } }),
  runJoin(new Any(), { events: { one: event, other: event }, key: 'S-7' }),
]

export class Elsewhere extends DownloaderRunner {
  override async download(folder: string, files: readonly File[], options?: DownloadOptions) {
    options?.signal?.throwIfAborted()
    return files.map(
      ({ path }): Opener =>
        () =>
          createReadStream(join(folder, path)),
    )
  }
}

export class Nowhere extends UploaderRunner {
  override async upload(_folder: string, { keyValues }: UploadOptions): Promise<UploadResult> {
    return { bundle: undefined, jobId: undefined, state: { noted: keyValues.length } }
  }
}
