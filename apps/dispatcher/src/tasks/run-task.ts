/**
 * One task from its claim to its outcome: what is left of an earlier run, event, scratch folder, handler, time limit.
 * Whatever goes wrong on this way, thrown by whomever and as whatever, becomes an outcome: a task always comes to an end.
 */
import { type CartNews, Event, type TransactionKeyValue, type UploaderRunner } from '@pacifica/core'

import type { Log } from '@pacifica/platform'
import type { Isolation, Job, JoinedJob } from '../isolation/isolation.ts'
import { endOrphans, type ProcessRecord } from '../isolation/process-tree.ts'
import type { Runners } from '../runners.ts'
import type { MetadataAsker } from './ask-metadata.ts'
import { type Comparison, compare } from './compare.ts'
import { DryRunUploader } from './dry-run-uploader.ts'
import { failureOf, storableFailure } from './failure.ts'
import { inTime, type RunLimits } from './in-time.ts'
import type { LogPiece } from './log-store.ts'
import { provenanceOf } from './provenance.ts'
import type { LastUploads } from './repeat.ts'
import { retryOf } from './retry.ts'
import type { Scratch } from './scratch.ts'
import { type QuotaOptions, withinQuota } from './scratch-quota.ts'
import { LeaseLostError } from './stop-reasons.ts'
import type { ClaimedTask } from './store.ts'
import type { Outcome } from './task.ts'
import { TaskDownloader } from './task-downloader.ts'
import { createTaskLog, type TaskLogSink } from './task-log.ts'
import {
  createProgressReport,
  type ProgressReport,
  type ReportedProgress,
} from './task-progress.ts'
import { TaskUploader } from './task-uploader.ts'
import type { UploadChange, UploadRecord } from './upload-store.ts'

/** What a run stores and reads, under its claim. `false`: the claim is no longer ours. */
export interface RunRows {
  uploads(): Promise<UploadRecord[]>
  markUpload(upload: UploadChange): Promise<boolean>
  taken(taken: { readonly files: number; readonly bytes: number }): Promise<void>
  noteCart(cart: string): Promise<boolean>
  forgetCart(cart: string): Promise<void>
  progress(progress: ReportedProgress): Promise<void>
  process(record: ProcessRecord): Promise<boolean>
  appendLog(pieces: readonly LogPiece[]): Promise<void>
  /** What a dry run's result is held against, and how it differs. */
  lastUploads(): Promise<LastUploads>
  compared(found: Comparison): Promise<boolean>
  /** Of a task that runs a join: its events. */
  joined(): Promise<JoinedJob>
}

export interface RunTaskNeeds {
  readonly dispatcher: string
  readonly isolation: Isolation
  readonly scratch: Scratch
  readonly runners: Runners
  readonly metadata: MetadataAsker | undefined
  /** Takes an event that is for a join there; undefined: it is for a handler. */
  readonly place: (task: ClaimedTask, signal: AbortSignal) => Promise<Outcome | undefined>
  /** @param signal the run's: what has to wait for the database gives up then */
  readonly rowsOf: (task: ClaimedTask, signal: AbortSignal) => RunRows
  readonly log: Log
}

export interface RunTaskOptions {
  readonly limits: RunLimits
  readonly maxDownload: number
  /** Of what a run writes. */
  readonly maxLog: number
  /** How long Ingest may take over a bundle. */
  readonly unsureMs: number
  /** A task whose files are more than this together is not begun. */
  readonly maxInput: number
  /** Of a task's folder. */
  readonly quota: QuotaOptions
  /** Where dry runs leave their bundles. */
  readonly dryRunFolder: string
}

const PROGRESS_MS = 2_000

/** Never rejects. */
export async function runTask(
  needs: RunTaskNeeds,
  options: RunTaskOptions,
  task: ClaimedTask,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    endEarlierRun(task, needs.log)
    const placed = await placeFirst(needs, options, task, signal)
    if (placed !== undefined) return placed
    const outcome = await needs.scratch.use(task, async (folder): Promise<Outcome> => {
      if (task.cancelled) return { kind: 'cancelled' }
      if (task.size > options.maxInput) return tooLarge(task.size, options.maxInput)
      const run = (stop: AbortSignal, force: AbortSignal) =>
        oneRun(needs, options, task, folder, stop, force)
      return await withinQuota(folder, options.quota, signal, (limited) =>
        inTime(run, options.limits, limited),
      )
    })
    return 'failure' in outcome
      ? { ...outcome, failure: storableFailure(outcome.failure) }
      : outcome
  } catch (error) {
    return { kind: 'threw', failure: failureOf(error, process.cwd()) }
  }
}

/** One that nobody wants to be cancelled; it needs no folder and no room. */
async function placeFirst(
  { place }: RunTaskNeeds,
  { limits }: RunTaskOptions,
  task: ClaimedTask,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (task.cancelled) return undefined
  let forHandler = false
  const outcome = await inTime(
    async (stop) => {
      const placed = await placing(place, task, stop)
      forHandler = placed === undefined
      return placed ?? { kind: 'done' }
    },
    limits,
    signal,
  )
  return forHandler ? undefined : outcome
}

async function placing(
  place: RunTaskNeeds['place'],
  task: ClaimedTask,
  stop: AbortSignal,
): Promise<Outcome | undefined> {
  try {
    return await place(task, stop)
  } catch (error) {
    return { kind: 'threw', failure: failureOf(error, process.cwd()), ...retryOf(error) }
  }
}

/** It would never fit. */
function tooLarge(size: number, most: number): Outcome {
  const value = `the event's files have ${size} bytes together, and all tasks in hand may have ${most} (DISPATCHER_BYTES_IN_HAND): raise that, or leave such events to a dispatcher that has the room`
  return { kind: 'threw', failure: { type: 'TaskTooLargeError', value, traceback: '' } }
}

/** What a killed supervisor's handler may still be doing, it does not do beside the new run. */
function endEarlierRun(task: ClaimedTask, log: Log): void {
  if (task.process === null) return
  const ended = endOrphans(task.process)
  if (ended > 0) log.warn({ task: task.id, processes: ended }, 'task.orphans_ended')
}

async function oneRun(
  needs: RunTaskNeeds,
  options: RunTaskOptions,
  task: ClaimedTask,
  folder: string,
  stop: AbortSignal,
  force: AbortSignal,
): Promise<Outcome> {
  const rows = needs.rowsOf(task, stop)
  const log = needs.log.child({ task: task.id })
  const report = createProgressReport((progress) => rows.progress(progress), PROGRESS_MS)
  const taskLog = createTaskLog(
    { append: (pieces) => rows.appendLog(pieces), log },
    { maxLength: options.maxLog },
  )
  try {
    const event = Event.parse(task.event)
    const joined = task.joinRun === null ? undefined : await rows.joined()
    const events = joined === undefined ? [event] : Object.values(joined.events)
    const provenance = provenanceOf({ dispatcher: needs.dispatcher, taskId: task.id, events })
    const uploads = await uploadsOf(needs, options, task, rows, { log, report, provenance })
    if (await uploads.resume(stop)) return { kind: 'done' }
    const { uploader } = uploads
    const downloader = new TaskDownloader(
      {
        downloader: needs.runners.downloader,
        taken: rows.taken,
        cart: (cart) => noteCart(task, rows, cart),
        progress: report.tell,
      },
      options.maxDownload,
    )
    const notes = notesOf(task, rows, taskLog, report, log)
    const what = { taskId: task.id, event, joined, folder, provenance }
    const job = { ...what, downloader, uploader, notes, force }
    const outcome = await needs.isolation.run(job, stop)
    if (outcome.kind === 'done') await uploads.done()
    return outcome
  } catch (error) {
    return { kind: 'threw', failure: failureOf(error, process.cwd()), ...retryOf(error) }
  } finally {
    await report.close()
    await taskLog.close()
  }
}

interface TaskUploads {
  readonly uploader: UploaderRunner
  /** True: an earlier run has left nothing but this upload to do, and now it is done. */
  resume(signal: AbortSignal): Promise<boolean>
  /** When the handler is through. */
  done(): Promise<void>
}

async function uploadsOf(
  needs: RunTaskNeeds,
  options: RunTaskOptions,
  task: ClaimedTask,
  rows: RunRows,
  run: { log: Log; report: ProgressReport; provenance: readonly TransactionKeyValue[] },
): Promise<TaskUploads> {
  const { provenance, log } = run
  const progress = run.report.tell
  if (task.kind === 'dry-run') {
    const into = { taskId: task.id, provenance, folder: options.dryRunFolder }
    const uploader = new DryRunUploader({ progress }, into)
    return {
      uploader,
      resume: async () => false,
      async done() {
        const last = await rows.lastUploads()
        const found = compare(last.task, last.uploads, uploader.made)
        if (!(await rows.compared(found))) throw new LeaseLostError(task.id)
      },
    }
  }
  const uploader = new TaskUploader(
    {
      ...{ uploads: needs.runners.uploadsOf(task.id), metadata: needs.metadata, log, progress },
      mark: (upload) => rows.markUpload(upload),
    },
    { taskId: task.id, provenance, known: await rows.uploads(), unsureMs: options.unsureMs },
  )
  return {
    uploader,
    resume: async (signal) => (await uploader.resume({ signal })) !== undefined,
    done: async () => undefined,
  }
}

async function noteCart({ id }: ClaimedTask, rows: RunRows, cart: CartNews): Promise<void> {
  // A cart that is gone and not forgotten is deleted once more, which does no harm.
  if (cart.step === 'gone') await rows.forgetCart(cart.id).catch(() => undefined)
  else if (!(await rows.noteCart(cart.id))) throw new LeaseLostError(id)
}

function notesOf(
  task: ClaimedTask,
  rows: RunRows,
  taskLog: TaskLogSink,
  report: ProgressReport,
  log: Log,
): Job['notes'] {
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      log[level]({ ...fields }, message)
      const members = Object.keys(fields).length === 0 ? '' : ` ${textOf(fields)}`
      taskLog.add('log', `${level} ${message}${members}\n`)
    }
  return {
    log: { info: line('info'), warn: line('warn'), error: line('error') },
    output: (stream, text) => taskLog.add(stream, text),
    progress: report.tell,
    async process(record) {
      if (!(await rows.process(record))) throw new LeaseLostError(task.id)
    },
  }
}

/** Whatever a handler gives. */
function textOf(fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(fields)
  } catch {
    return '(members that cannot be shown)'
  }
}
