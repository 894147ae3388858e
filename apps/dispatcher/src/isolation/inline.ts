/**
 * Handlers in this process. Nothing can end a handler that does not listen to its signal, and one that keeps the CPU
 * busy starves the heartbeat: for handlers that are known to behave, and for tests.
 */
import {
  type Dispatcher,
  DownloaderRunner,
  type DownloadOptions,
  type File,
  type Opener,
  RouteNotFoundRouterError,
  type TaskContext,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import type { Log } from '@pacifica/platform'
import { failureOf } from '../tasks/failure.ts'
import { withProvenance } from '../tasks/provenance.ts'
import type { Failure, Outcome } from '../tasks/task.ts'
import { LeaseLostError } from '../tasks/worker.ts'
import type { Isolation, Job, TransferNotes } from './isolation.ts'

export interface InlineNeeds {
  readonly dispatcher: Dispatcher
  readonly downloader: DownloaderRunner
  readonly uploaderFor: (taskId: string) => UploaderRunner
  readonly log: Log
}

export function inlineIsolation(needs: InlineNeeds): Isolation {
  return {
    async run(job, signal): Promise<Outcome> {
      try {
        const route = needs.dispatcher.router.findRoute(job.event)
        if (route === undefined) return { kind: 'unrouted', failure: noRoute(job) }
        await route.handler.handle(job.event, contextFor(needs, job, signal))
        return { kind: 'done' }
      } catch (error) {
        return { kind: 'threw', failure: failureOf(error, process.cwd()) }
      }
    },
  }
}

/** It is nobody's code that went wrong, so there is no traceback. */
function noRoute(job: Job): Failure {
  const failure = failureOf(new RouteNotFoundRouterError(job.event), process.cwd())
  return { ...failure, traceback: '' }
}

function contextFor(needs: InlineNeeds, job: Job, signal: AbortSignal): TaskContext {
  const log = needs.log.child({ task: job.taskId })
  return {
    taskId: job.taskId,
    signal,
    folder: job.folder,
    downloader: new NotingDownloader(needs.downloader, job.notes),
    uploader: new LeasedUploader(needs.uploaderFor(job.taskId), job),
    log: {
      info: (message, fields = {}) => log.info({ ...fields }, message),
      warn: (message, fields = {}) => log.warn({ ...fields }, message),
      error: (message, fields = {}) => log.error({ ...fields }, message),
    },
    progress: (progress) => log.debug({ progress }, 'task.progress'),
    provenance: job.provenance,
  }
}

/** Uploads nothing for a task that somebody else has claimed in the meantime: there is one result for each task. */
class LeasedUploader extends UploaderRunner {
  readonly #uploader: UploaderRunner
  readonly #job: Job

  constructor(uploader: UploaderRunner, job: Job) {
    super()
    this.#uploader = uploader
    this.#job = job
  }

  override async upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    if (!(await this.#job.holds())) throw new LeaseLostError(this.#job.taskId)
    const keyValues = withProvenance(options.keyValues, this.#job.provenance)
    const result = await this.#uploader.upload(folder, { ...options, keyValues })
    await this.#job.notes.bundle(result)
    return result
  }
}

/** Stores how much the task's downloads have brought. */
class NotingDownloader extends DownloaderRunner {
  readonly #downloader: DownloaderRunner
  readonly #notes: TransferNotes

  constructor(downloader: DownloaderRunner, notes: TransferNotes) {
    super()
    this.#downloader = downloader
    this.#notes = notes
  }

  override async download(
    folder: string,
    files: readonly File[],
    options?: DownloadOptions,
  ): Promise<Opener[]> {
    const openers = await this.#downloader.download(folder, files, options)
    const bytes = files.reduce((sum, file) => sum + (file.size ?? 0), 0)
    await this.#notes.taken({ files: files.length, bytes })
    return openers
  }
}
