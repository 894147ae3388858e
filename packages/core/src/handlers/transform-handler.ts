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
  readonly file: File
  readonly open: Opener
}

/** What the author's function is given. */
export interface TransformInput {
  readonly event: Event
  /** The chosen files, in the event's order. They also lie at `<inputFolder>/data/<file.path>`. */
  readonly input: readonly InputFile[]
  readonly inputFolder: string
  /** Write the result here; a file's path below it becomes its path in the bundle. */
  readonly output: Workspace
  /** The event's transaction and its key-values. */
  readonly transaction: Transaction
  readonly keyValues: readonly TransactionKeyValue[]
  readonly signal: AbortSignal
  readonly log: TaskLog
  readonly progress: (progress: Progress) => void
}

/** What the function may say of its result; each has a default. */
export interface TransformResult {
  /** Whose the result is: submitter, project and instrument of the event's transaction unless given. */
  readonly transaction?: Transaction
  /** Noted on the result: `Transactions._id`, the event's transaction, unless given; `[]` for nothing. */
  readonly keyValues?: readonly TransactionKeyValue[]
}

// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the common case
export type Transform = (input: TransformInput) => Promise<TransformResult | undefined | void>

export interface TransformOptions {
  /** Which of the event's files are fetched; all unless given. */
  readonly select?: (file: File) => boolean
  /** Milliseconds that a transfer may stand still; the runners' default unless given. */
  readonly transferTimeout?: number
}

export class TransformHandler extends EventHandler {
  readonly #transform: Transform
  readonly #options: TransformOptions

  constructor(transform: Transform, options: TransformOptions = {}) {
    super()
    this.#transform = transform
    this.#options = options
  }

  /** Without a file in the output folder nothing is uploaded, which the log says. */
  override async handle(event: Event, context: TaskContext): Promise<void> {
    const transaction = Transaction.fromEvent(event)
    const keyValues = TransactionKeyValue.fromEvent(event)
    const inputFolder = await emptyFolder(context.folder, 'downloads')
    const outputFolder = await emptyFolder(context.folder, 'uploads')
    const { select = () => true } = this.#options
    const files = File.fromEvent(event).filter(select)
    const input = await downloadFiles(files, inputFolder, context, this.#options)
    const { signal, log, progress } = context
    const said = await this.#transform({
      event,
      input,
      inputFolder,
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
