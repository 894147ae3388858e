/** The usual handler of a join: downloads the files of all events → the author's function → uploads one bundle. */
import { Workspace } from '../bundle/workspace.ts'
import type { Event } from '../events/event.ts'
import type { Progress, TaskContext, TaskLog } from '../handlers/task-context.ts'
import type { InputFile, TransformResult } from '../handlers/transform-handler.ts'
import { downloadFiles, emptyFolder, uploadResult } from '../handlers/transform-steps.ts'
import { File } from '../models/file.ts'
import { Transaction } from '../models/transaction.ts'
import { TransactionKeyValue } from '../models/transaction-key-value.ts'
import { type JoinedEvents, JoinHandler } from './join-handler.ts'

/** What is known of one slot, for the function of a `JoinTransformHandler`. */
export interface JoinInput {
  /** The slot's event. */
  readonly event: Event
  /** The chosen files of its event, in the event's order. They also lie at `<folder>/data/<file.path>`. */
  readonly input: readonly InputFile[]
  /** The slot's own folder. */
  readonly folder: string
  /** The event's transaction and its key-values. */
  readonly transaction: Transaction
  /** What was noted on the transaction, in the order of the event. */
  readonly keyValues: readonly TransactionKeyValue[]
}

/**
 * What the function of a `JoinTransformHandler` is given.
 * @typeParam Slot the names of the join's slots
 */
export interface JoinTransformInput<Slot extends string = string> extends JoinedEvents<Slot> {
  /** Each slot's files and transaction; undefined for what had not come by the deadline. */
  readonly slots: Readonly<Record<Slot, JoinInput | undefined>>
  /** Holds a folder for each slot that is there, by its name. */
  readonly inputFolder: string
  /** Write the result here; a file's path below it becomes its path in the bundle. */
  readonly output: Workspace
  /** Aborts when the task is cancelled, timed out, or taken over. */
  readonly signal: AbortSignal
  /** The task's log. */
  readonly log: TaskLog
  /** Told how far the function is; the task shows the latest. */
  readonly progress: (progress: Progress) => void
}

/**
 * The author's function. What it returns says whose the result is and what is noted on it. Unless it does, the result has
 * submitter, project and instrument of the first slot that is there, and a key-value `Transactions._id` for the transaction
 * of each.
 */
export type JoinTransform<Slot extends string = string> = (
  input: JoinTransformInput<Slot>,
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the common case
) => Promise<TransformResult | undefined | void>

/** How a `JoinTransformHandler` goes about it. */
export interface JoinTransformOptions<Slot extends string = string> {
  /** Which files of a slot's event are fetched; all unless given. */
  readonly select?: (file: File, slot: Slot) => boolean
  /** Milliseconds that a transfer may stand still; the runners' default unless given. */
  readonly transferTimeout?: number
}

/**
 * Downloads what all the events name, each slot into its own folder, calls the function, and uploads what it has written
 * as one bundle; nothing when it has written nothing, which the log says.
 * @typeParam Slot the names of the join's slots
 */
export class JoinTransformHandler<Slot extends string = string> extends JoinHandler<Slot> {
  readonly #transform: JoinTransform<Slot>
  readonly #options: JoinTransformOptions<Slot>

  /**
   * @param transform the author's function; what it throws fails the task
   * @param options which files are fetched, and how long that may stand still
   */
  constructor(transform: JoinTransform<Slot>, options: JoinTransformOptions<Slot> = {}) {
    super()
    this.#transform = transform
    this.#options = options
  }

  /** Rejects with what the function threw, or a transfer: then nothing is uploaded. */
  override async handle(joined: JoinedEvents<Slot>, context: TaskContext): Promise<void> {
    const inputFolder = await emptyFolder(context.folder, 'downloads')
    const outputFolder = await emptyFolder(context.folder, 'uploads')
    const slots: Record<string, JoinInput | undefined> = {}
    for (const [slot, event] of Object.entries<Event | undefined>(joined.events)) {
      slots[slot] = event && (await this.#fetch(slot as Slot, event, inputFolder, context))
    }
    const { signal, log, progress } = context
    const said = await this.#transform({
      ...joined,
      slots: slots as JoinTransformInput<Slot>['slots'],
      inputFolder,
      output: new Workspace(outputFolder),
      signal,
      log,
      progress,
    })
    signal.throwIfAborted()
    const usual = defaultsFor(Object.values(slots).filter((slot) => slot !== undefined))
    const { transaction = usual.transaction, keyValues = usual.keyValues } = said ?? {}
    await uploadResult(outputFolder, { transaction, keyValues }, context, this.#options)
  }

  async #fetch(
    slot: Slot,
    event: Event,
    inputFolder: string,
    context: TaskContext,
  ): Promise<JoinInput> {
    const { select = () => true } = this.#options
    const transaction = Transaction.fromEvent(event)
    const keyValues = TransactionKeyValue.fromEvent(event)
    const files = File.fromEvent(event).filter((file) => select(file, slot))
    const folder = await emptyFolder(inputFolder, slot)
    const input = await downloadFiles(files, folder, context, this.#options)
    return { event, input, folder, transaction, keyValues }
  }
}

function defaultsFor(slots: readonly JoinInput[]): Required<TransformResult> {
  const { submitter, project, instrument } = slots[0]?.transaction ?? {}
  const sources = slots.map(({ transaction }) => transaction._id).filter((id) => id !== undefined)
  return {
    transaction: new Transaction({ submitter, project, instrument }),
    keyValues: sources.map((value) => new TransactionKeyValue({ key: 'Transactions._id', value })),
  }
}
