/**
 * Mistakes that authors of handlers make, each of which must fail when it is compiled: below each directive stand the
 * number of the compiler's error and what the author is told by it. Nothing here is ever run.
 */
import {
  CommandHandler,
  DownloaderRunner,
  defineDispatcher,
  defineJoin,
  type Event,
  EventHandler,
  type File,
  type JoinedEvents,
  JoinHandler,
  JoinTransformHandler,
  NoopEventHandler,
  RetryableError,
  Router,
  type TaskContext,
  type Transaction,
  TransactionKeyValue,
  Transaction as TransactionModel,
  type Transform,
  TransformHandler,
} from '@pacifica/core'
import { exampleEvent, runJoin } from '@pacifica/core/testing'
import { compile, type Dialect } from '@pacifica/jsonpath'

export class Synchronous extends EventHandler {
  // @ts-expect-error 2416: handle must return a promise, or its failure would be lost
  override handle(): void {}
}

export class SaysSomething extends EventHandler {
  // @ts-expect-error 2416: what handle returns is looked at by nobody
  override async handle(): Promise<string> {
    return 'done'
  }
}

// @ts-expect-error 2515: handle is what a handler is
export class Empty extends EventHandler {}

export class WrongParameters extends EventHandler {
  // @ts-expect-error 2416: a handler is given an Event, not its text
  override async handle(_event: string): Promise<void> {}
}

export class Misspelt extends EventHandler {
  override async handle(event: Event, context: TaskContext): Promise<void> {
    // @ts-expect-error 2551: the runner is called downloader
    await context.download(context.folder, [])
    // @ts-expect-error 2339: there is no such thing in the context
    context.database
    // @ts-expect-error 2540: the context is the service's
    context.folder = '/tmp'
    // @ts-expect-error 2540: an event cannot be changed
    event.id = '1'
    // @ts-expect-error 2542: nor can what it says
    event.value['data'] = []
    // @ts-expect-error 18046: data may be anything: look before you use it
    event.data.length
    // @ts-expect-error 2345: a message is text; an error goes into the fields
    context.log.error(new Error('no'))
    // @ts-expect-error 2741: a step has a name
    context.progress({ done: 1, total: 2 })
    // @ts-expect-error 2741: an upload says what is noted on the result
    await context.uploader.upload(context.folder, { transaction: new TransactionModel({}) })
  }
}

export function models(file: File, transaction: Transaction): void {
  // @ts-expect-error 2540: models cannot be changed
  file.name = 'other.txt'
  // @ts-expect-error 2540: models cannot be changed
  transaction.project = 'p2'
  // @ts-expect-error 2561: submitter
  new TransactionModel({ submiter: 10 })
  // @ts-expect-error 2322: keys are text
  new TransactionKeyValue({ key: 1, value: 2 })
}

// @ts-expect-error 2322: without async a transform's failure would be lost
export const immediate = new TransformHandler(() => undefined)

// @ts-expect-error 2339: there is no such input
export const unknownInput = new TransformHandler(async ({ files }) => void files)

// @ts-expect-error 2322: keyValues has a capital V
export const typo: Transform = async () => ({ keyvalues: [] })

// @ts-expect-error 2322: keyValues has a capital V
export const typoInPlace = new TransformHandler(async () => ({ keyvalues: [] }))

// @ts-expect-error 2345: keyValues has a capital V, also where something else is right
export const halfATypo = new TransformHandler(async ({ transaction }) => {
  return { transaction, keyvalues: [] }
})

// @ts-expect-error 2322: a list of key-values
export const oneKeyValue: Transform = async () => ({ keyValues: new TransactionKeyValue({}) })

// @ts-expect-error 2322: yes or no; a file without a mimetype is neither
export const unsure = new TransformHandler(async () => {}, { select: ({ mimetype }) => mimetype })

// @ts-expect-error 2561: transferTimeout
export const slow = new TransformHandler(async () => {}, { transferTimeOut: 1_000 })

// @ts-expect-error 2345: no shell reads it: the program, then its arguments
export const shell = new CommandHandler('python3 means.py')

// @ts-expect-error 2345: a program at least
export const nothing = new CommandHandler([])

// @ts-expect-error 2322: milliseconds
export const minutes = new CommandHandler(['sh'], { timeout: '10min' })

// @ts-expect-error 2561: maxOutput
export const chatty = new CommandHandler(['sh'], { maxOutPut: 10 })

// @ts-expect-error 2820: under these two names an event can be shown
export const oldNames = new CommandHandler(['sh'], { version: '0.1' })

// @ts-expect-error 2353: one file of stdout, one of stderr
export const keeper = new CommandHandler(['sh'], { keep: { output: 'log.txt' } })

// @ts-expect-error 2322: the same promise of a result as a transform's, but at once
export const later = new CommandHandler(['sh'], { result: async () => ({}) })

const handler = new NoopEventHandler()

// @ts-expect-error 2741: a dispatcher has routes
defineDispatcher({ name: 'no-routes' })
// @ts-expect-error 2741: a route leads to a handler
defineDispatcher({ name: 'no-handler', routes: [{ path: '$.data' }] })
// @ts-expect-error 2741: a route has a path
defineDispatcher({ name: 'no-path', routes: [{ handler }] })
// @ts-expect-error 2741: an instance, not the class
defineDispatcher({ name: 'class', routes: [{ path: '$.data', handler: NoopEventHandler }] })
// @ts-expect-error 2322: a function is no handler: give it to a TransformHandler
defineDispatcher({ name: 'function', routes: [{ path: '$.data', handler: async () => {} }] })
// @ts-expect-error 2820: v0.1 or v1.0
defineDispatcher({ name: 'version', routes: [{ path: '$', handler, version: '1.0' }] })
// @ts-expect-error 2820: jsonpath2 or rfc9535
defineDispatcher({ name: 'dialect', routes: [{ path: '$', handler, dialect: 'jsonpath' }] })
// @ts-expect-error 2353: allowLoops
defineDispatcher({ name: 'loops', routes: [{ path: '$', handler, loops: true }] })
// @ts-expect-error 2322: allowLoops is yes or no
defineDispatcher({ name: 'loops', routes: [{ path: '$', handler, allowLoops: 'yes' }] })

const slot = { path: '$["data"]', key: '$["source"]' }
const pair = { name: 'pair', slots: { raw: slot, dark: slot }, deadline: '2h' } as const
const join = { ...pair, atDeadline: 'run' } as const

class Both extends JoinHandler<'raw' | 'dark'> {
  override async handle({ events, missing }: JoinedEvents<'raw' | 'dark'>): Promise<void> {
    // @ts-expect-error 2339: there is no such slot
    events.rwa
    // @ts-expect-error 18048: it may be missing at the deadline
    events.raw.id
    // @ts-expect-error 2345: there is no such slot
    missing.includes('flat')
  }
}

defineJoin(
  join,
  new JoinTransformHandler(async ({ slots }) => {
    // @ts-expect-error 2339: there is no such slot
    slots.rwa
    // @ts-expect-error 18048: it may be missing at the deadline
    slots.raw.folder
  }),
)

// @ts-expect-error 2741: what becomes of it at the deadline must be said
defineJoin(pair, new Both())
// @ts-expect-error 2741: how long the others are waited for must be said
defineJoin({ name: 'pair', slots: pair.slots, atDeadline: 'run' }, new Both())
// @ts-expect-error 2322: run or fail
defineJoin({ ...pair, atDeadline: 'wait' }, new Both())
// @ts-expect-error 2322: a text with its unit
defineJoin({ ...join, deadline: 7_200_000 }, new Both())
// @ts-expect-error 2322: keep or replace
defineJoin({ ...join, onDuplicate: 'both' }, new Both())
// @ts-expect-error 2741: a slot says where its key is
defineJoin({ ...join, slots: { raw: slot, dark: { path: '$' } } }, new Both())
// @ts-expect-error 2345: a handler of one event
defineJoin(join, new TransformHandler(async () => {}))
// @ts-expect-error 2353: the handler asks for a slot that the join has not
defineJoin({ ...join, slots: { raw: slot, flat: slot } }, new Both())
// @ts-expect-error 2345: a function is no handler: give it to a JoinTransformHandler
defineJoin(join, async () => {})
// @ts-expect-error 2554: a join leads to a handler
defineJoin(join)

const event = exampleEvent()
// @ts-expect-error 2769: a join takes several events
runJoin(new Both(), { event })
// @ts-expect-error 2769: undefined must be written: a slot forgotten is no slot missing
runJoin(new Both(), { events: { raw: event } })
// @ts-expect-error 2769: there is no such slot
runJoin(new Both(), { events: { raw: event, drak: event } })
// @ts-expect-error 2769: its slots are known to no handler: by slot
runJoin(new Both(), { events: [event, event] })

// @ts-expect-error 2554: a route leads to a handler
new Router().addRoute('$.data')
// @ts-expect-error 2820: jsonpath2 or rfc9535
compile('$.data', { dialect: 'jsonpath' })
// @ts-expect-error 2322: jsonpath2 or rfc9535
export const dialect: Dialect = 'xpath'
// @ts-expect-error 2322: milliseconds
throw new RetryableError('the licence server is busy', { retryAfterMs: '5s' })

export class HalfARunner extends DownloaderRunner {
  // @ts-expect-error 2416: openers make streams, not texts
  override async download(): Promise<(() => string)[]> {
    return []
  }
}
