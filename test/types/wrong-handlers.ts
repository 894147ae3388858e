/**
 * Mistakes that authors of handlers make, each of which must fail when it is compiled: below each directive stand the
 * number of the compiler's error and what the author is told by it. Nothing here is ever run.
 */
import {
  CommandHandler,
  DownloaderRunner,
  defineDispatcher,
  type Event,
  EventHandler,
  type File,
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
