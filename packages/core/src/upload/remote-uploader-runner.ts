/**
 * Hands results in at Pacifica's Ingest: one pass over the files, no temporary copy, memory that does not grow with
 * them; then asks until Ingest has made a transaction of the bundle.
 */
import { type BundleFile, listFiles } from '../bundle/list-files.ts'
import { bundleSize, packBundleInPlace } from '../bundle/pack.ts'
import { counted } from '../transfer/counted.ts'
import { type TransferOptions, type Watch, withDeadline } from '../transfer/deadline.ts'
import { mayPass } from '../transfer/errors.ts'
import { DEFAULT_PAUSES, type Pauses, pause, pauseBefore } from '../transfer/pause.ts'
import { connectService, type ServiceOptions } from '../transfer/service.ts'
import { type IngestClient, ingestClient, type Job } from './ingest-client.ts'
import { describeJob, isDone } from './ingest-state.ts'
import { UploaderRunner, type UploadOptions, type UploadResult } from './uploader-runner.ts'

/** How Ingest is asked, and in whose name. */
export interface RemoteUploaderOptions extends ServiceOptions {
  /** Where jobs are asked for, without the query; `<url>/get_state` unless given. */
  readonly statusUrl?: URL | string | undefined
  /** The user that Ingest is to believe in, when it stands behind a proxy. */
  readonly authedUser?: string | undefined
  /** The header that carries `authedUser`; `X-Http-Authed-User` unless given. */
  readonly authedUserHeader?: string | undefined
  /** Between two questions how the job is. */
  readonly pauses?: Pauses
}

/** Hands results in at Pacifica's Ingest and waits until it has made a transaction of them. */
export class RemoteUploaderRunner extends UploaderRunner {
  readonly #ingest: IngestClient
  readonly #pauses: Pauses

  /**
   * @param url Ingest's, such as `http://ingest:8066`; with `/upload`, as Python has it, is fine too
   * @param options user and password, headers, whom Ingest is to believe in
   */
  constructor(url: URL | string, options: RemoteUploaderOptions = {}) {
    super()
    const { authedUser, authedUserHeader = 'X-Http-Authed-User', statusUrl, headers } = options
    const user = authedUser === undefined ? {} : { [authedUserHeader]: authedUser }
    const service = connectService(new URL(url), { ...options, headers: { ...user, ...headers } })
    this.#ingest = ingestClient(service, statusUrl === undefined ? undefined : new URL(statusUrl))
    this.#pauses = options.pauses ?? DEFAULT_PAUSES
  }

  /**
   * Resolves when Ingest is done with the bundle. The bundle itself is never sent twice, whatever happens.
   *
   * Throws `IngestFailedError`, `IngestJobUnknownError`, `BundleEntryError`, `BundleFileChangedError`,
   * `TransactionDuplicateAttributeError`, `ServiceUnreachableError`, `ServiceAnswerError`, `TransferTimeoutError`, or
   * the signal's reason.
   */
  override upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    return withDeadline(`uploading to ${this.#ingest.url}`, options, async (watch) => {
      watch.doing(`listing ${folder}`)
      const files = await listFiles(folder)
      const size = bundleSize(files, options)
      watch.moved()
      watch.doing(`sending ${files.length} files, ${size} bytes`)
      const job = await this.#send(files, size, options, watch)
      await options.onJob?.(job.job_id)
      return await this.#untilDone(job, watch)
    })
  }

  /**
   * Waits for the job of an earlier upload, as `upload` would have.
   * Throws what `upload` throws of Ingest.
   * @param jobId what `onJob` was told
   * @param options how long it may stand still, and what calls it off
   */
  follow(jobId: number, options: TransferOptions = {}): Promise<UploadResult> {
    const what = `following job ${jobId} of ${this.#ingest.url}`
    return withDeadline(what, options, (watch) => this.#untilDone({ job_id: jobId }, watch))
  }

  async #send(
    files: readonly BundleFile[],
    size: number,
    options: UploadOptions,
    watch: Watch,
  ): Promise<Job> {
    const packed = packBundleInPlace(files, options, watch.signal)
    const chunks = counted(holdingBack(packed, size, options), size, watch, options)
    const job = await this.#ingest.upload({ chunks, size }, watch.signal)
    watch.moved()
    return job
  }

  async #untilDone(job: Job, watch: Watch): Promise<UploadResult> {
    const jobId = job.job_id
    const heard = new Set<string>()
    let last = job
    for (let question = 1; ; question += 1) {
      if (isDone(jobId, last)) return { bundle: undefined, jobId, state: last }
      await pause(pauseBefore(question, this.#pauses), watch.signal)
      const answer = await this.#ask(jobId, watch.signal)
      const said = answer instanceof Error ? answer.message : describeJob(answer)
      if (!heard.has(said)) watch.heard(said)
      heard.add(said)
      watch.doing(`waiting for job ${jobId}: ${said}`)
      if (!(answer instanceof Error)) last = answer
    }
  }

  /** The bundle is away: a question without an answer is asked again, until the transfer's `timeout`. */
  async #ask(jobId: number, signal: AbortSignal): Promise<Job | Error> {
    try {
      return await this.#ingest.state(jobId, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (mayPass(error)) return error as Error
      throw error
    }
  }
}

/** The same bytes; before the last of them, `beforeLast` is waited for. */
async function* holdingBack(
  chunks: AsyncIterable<Buffer>,
  size: number,
  { beforeLast }: UploadOptions,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes >= size) await beforeLast?.()
    yield chunk
  }
}
