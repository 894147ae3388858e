/** The usual handler: download → the author's function → upload. */
import { Workspace } from '../bundle/workspace.ts'
import type { Opener } from '../download/downloader-runner.ts'
import type { Event } from '../events/event.ts'
import { File } from '../models/file.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { EventHandler } from './event-handler.ts'
import type { Progress, TaskContext, TaskLog } from './task-context.ts'
import { downloadFiles, emptyFolder, uploadResult } from './transform-steps.ts'

/** One of the event's files, and how to read it. */
export interface InputFile {
  /** What the event says of it. */
  readonly file: File
  /** A new stream of its bytes at each call. */
  readonly open: Opener
}

/** What the author's function is given. */
export interface TransformInput {
  /** The whole event. */
  readonly event: Event
  /** The chosen files, in the event's order. They also lie at `<inputFolder>/data/<file.path>`. */
  readonly input: readonly InputFile[]
  /** For programs that want paths. Read what is there, do not change it: files may be links to an archive. */
  readonly inputFolder: string
  /** The task's own folder, for what is neither input nor result. It is removed afterwards. */
  readonly folder: string
  /** Write the result here; a file's path below it becomes its path in the bundle. */
  readonly output: Workspace
  /** The event's transaction and its key-values. */
  readonly transaction: Transaction
  /** What was noted on it, in the order of the event. */
  readonly keyValues: readonly TransactionKeyValue[]
  /** Aborts when the task is cancelled, out of time or taken over: pass it on, and stop. */
  readonly signal: AbortSignal
  /** The task's log. */
  readonly log: TaskLog
  /** Told how far the function is; the task shows the latest. */
  readonly progress: (progress: Progress) => void
}

/** What the function may say of its result; each has a default. */
export interface TransformResult {
  /** Whose the result is: submitter, project and instrument of the event's transaction unless given. */
  readonly transaction?: Transaction
  /** Noted on the result: `Transactions._id`, the event's transaction, unless given; `[]` for nothing. */
  readonly keyValues?: readonly TransactionKeyValue[]
}

/** What the author's function resolves with: nothing, or what it says of its result. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the common case
export type Said = TransformResult | undefined | void

/**
 * The author's function: reads `input`, writes `output`, and may say whose the result is and what is noted on it.
 * What it throws fails the task, and nothing is uploaded; a `RetryableError` has it tried again.
 * @typeParam Result what it resolves with, where that is known more closely
 */
export type Transform<Result extends Said = Said> = (input: TransformInput) => Promise<Result>

/** Members of a result that nobody reads: typing errors. The compiler lets them pass where a function returns them. */
type NothingElse<Result> = Result extends object
  ? { readonly [Name in Exclude<keyof Result, keyof TransformResult>]: never }
  : unknown

/** Which files are fetched, and how long that may stand still. */
export interface TransformOptions {
  /** Which of the event's files are fetched; all unless given. Called for one after the other, in the event's order. */
  readonly select?: (file: File, event: Event) => boolean
  /** Milliseconds that a transfer may stand still; the runners' default unless given. */
  readonly transferTimeout?: number
}

/**
 * The usual handler: downloads the event's files, calls the author's function, uploads what it has written.
 * @typeParam Result what the function resolves with; found by the compiler, so that it can point at a typing error
 * @example
 * ```ts
 * import { pipeline } from 'node:stream/promises'
 * import { TransformHandler } from '@pacifica/core'
 *
 * export const copies = new TransformHandler(
 *   async ({ input, output, signal }) => {
 *     for (const { file, open } of input) {
 *       await pipeline(open(), await output.create(`${file.path}.copy`), { signal })
 *     }
 *   },
 *   { select: ({ mimetype }) => mimetype === 'text/csv' },
 * )
 * ```
 */
export class TransformHandler<Result extends Said = Said> extends EventHandler {
  readonly #transform: Transform
  readonly #options: TransformOptions

  /**
   * @param transform the author's function; called once for each event, for several at a time perhaps
   * @param options which files it gets
   */
  constructor(transform: Transform<Result & NothingElse<Result>>, options: TransformOptions = {}) {
    super()
    this.#transform = transform
    this.#options = options
  }

  /**
   * Without a file in the output folder nothing is uploaded, which the log says.
   * Throws what the function, downloads and uploads throw, `EventFieldError` for an event that cannot be read, or the
   * signal's reason.
   * @param event whose files are transformed
   * @param context of the task
   */
  override async handle(event: Event, context: TaskContext): Promise<void> {
    const transaction = Transaction.fromEvent(event)
    const keyValues = TransactionKeyValue.fromEvent(event)
    const inputFolder = await emptyFolder(context.folder, 'downloads')
    const outputFolder = await emptyFolder(context.folder, 'uploads')
    const { select = () => true } = this.#options
    const files = File.fromEvent(event).filter((file) => select(file, event))
    const input = await downloadFiles(files, inputFolder, context, this.#options)
    const { signal, log, progress } = context
    const said = await this.#transform({
      event,
      input,
      inputFolder,
      folder: context.folder,
      output: new Workspace(outputFolder),
      transaction,
      keyValues,
      signal,
      log,
      progress,
    })
    signal.throwIfAborted()
    const { transaction: whose, keyValues: noted } = defaultsFor(transaction)
    const result = {
      transaction: said?.transaction ?? whose,
      keyValues: said?.keyValues ?? noted,
    }
    await uploadResult(outputFolder, result, context, this.#options)
  }
}

function defaultsFor(source: Transaction): Required<TransformResult> {
  const { submitter, project, instrument, _id } = source
  const noted = _id === undefined ? [] : [{ key: 'Transactions._id', value: _id }]
  return {
    transaction: new Transaction({ submitter, project, instrument }),
    keyValues: noted.map((keyValue) => new TransactionKeyValue(keyValue)),
  }
}
