/**
 * A task's uploads, each of them once, whatever dies meanwhile. What was handed in under an earlier claim is followed,
 * not sent again; between the bundle's last bytes and Ingest's answer nobody can know, so Metadata is asked, if there
 * is one to ask.
 */
import {
  changedNothing,
  type TransactionKeyValue,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import type { Log } from '@pacifica/platform'
import type { Uploads } from '../runners.ts'
import type { MetadataAsker } from './ask-metadata.ts'
import { manifestOf } from './manifest.ts'
import { PROVENANCE_KEYS, withProvenance } from './provenance.ts'
import { LeaseLostError } from './stop-reasons.ts'

import { type ReportedProgress, transferProgress } from './task-progress.ts'
import type { UploadChange, UploadRecord } from './upload-store.ts'

type Stored = UploadChange

export interface TaskUploaderNeeds {
  readonly uploads: Uploads
  readonly metadata: MetadataAsker | undefined
  readonly log: Log
  /** False: the claim is no longer ours. */
  readonly mark: (upload: Stored) => Promise<boolean>
  readonly progress: (progress: ReportedProgress) => void
}

export interface TaskUploaderOptions {
  readonly taskId: string
  readonly provenance: readonly TransactionKeyValue[]
  /** What earlier runs of the task have left. */
  readonly known: readonly UploadRecord[]
  /** How long Ingest may take to make a transaction of a bundle: until then Metadata's 'unknown' says nothing. */
  readonly unsureMs: number
}

/** What to do about an upload, given what an earlier run has left of it. Pure. */
export type Step = 'upload' | 'ask' | 'follow' | 'done'

/** @param replaces sending it again replaces what was sent, as in a folder */
export function stepFor(known: Stored | undefined, { replaces }: { replaces: boolean }): Step {
  switch (known?.state) {
    case undefined:
    case 'begun':
      return 'upload'
    case 'ending':
      return replaces ? 'upload' : 'ask'
    case 'sent':
      return 'follow'
    case 'done':
      return 'done'
  }
}

export class TaskUploader extends UploaderRunner {
  readonly #needs: TaskUploaderNeeds
  readonly #options: TaskUploaderOptions
  readonly #knownAt = performance.now()
  #asked = 0

  constructor(needs: TaskUploaderNeeds, options: TaskUploaderOptions) {
    super()
    this.#needs = needs
    this.#options = options
  }

  override async upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    this.#asked += 1
    const number = this.#asked
    const known = this.#options.known.find((record) => record.number === number)
    const earlier = known && (await this.#earlier(known, options))
    return earlier ?? (await this.#send(folder, options, number, known))
  }

  /**
   * The result of a task whose handler had nothing left to do but this upload: then the handler needs not run again.
   * Undefined when it does.
   */
  async resume(options: Pick<UploadOptions, 'signal'>): Promise<UploadResult | undefined> {
    const known = this.#options.known.at(-1)
    if (!known?.last) return undefined
    const step = this.#stepFor(known)
    if (step === 'upload' || (step === 'ask' && this.#needs.metadata === undefined))
      return undefined
    return await this.#earlier(known, options)
  }

  #stepFor(known: UploadRecord): Step {
    return stepFor(known, { replaces: this.#needs.uploads.follow === undefined })
  }

  /** Undefined: it is to be sent. */
  async #earlier(
    known: UploadRecord,
    options: Pick<UploadOptions, 'signal' | 'timeout' | 'onProgress' | 'onJob'>,
  ): Promise<UploadResult | undefined> {
    switch (this.#stepFor(known)) {
      case 'upload':
        return undefined
      case 'done':
        return resultOf(known)
      case 'follow':
        return await this.#follow(known, options)
      case 'ask':
        return await this.#ask(known, options)
    }
  }

  async #follow(
    known: UploadRecord,
    options: Pick<UploadOptions, 'signal' | 'timeout' | 'onProgress' | 'onJob'>,
  ): Promise<UploadResult> {
    const jobId = known.jobId as number
    this.#needs.log.info({ task: this.#options.taskId, jobId }, 'upload.followed')
    await options.onJob?.(jobId)
    const { heard: onNews } = transferProgress('upload', this.#needs.progress)
    const following = this.#needs.uploads.follow?.(jobId, { ...options, onNews })
    const result = (await following) ?? resultOf(known)
    await this.#mark({ ...known, state: 'done' })
    return result
  }

  async #ask(
    known: UploadRecord,
    { signal }: Pick<UploadOptions, 'signal'>,
  ): Promise<UploadResult | undefined> {
    const { metadata, log } = this.#needs
    const { taskId, unsureMs } = this.#options
    if (metadata === undefined) return undefined
    const ageMs = known.ageMs + performance.now() - this.#knownAt
    const before = this.#options.known.filter(({ state }) => state === 'done').length
    const transactions = await metadata.awaitTransactions(
      { key: PROVENANCE_KEYS.task, value: taskId },
      {
        atLeast: before + 1,
        since: new Date(Date.now() - ageMs),
        withinMs: unsureMs - ageMs,
        signal: signal ?? new AbortController().signal,
      },
    )
    const transaction = transactions?.[before]?.toString()
    log.info({ task: taskId, upload: known.number, transaction }, 'upload.asked_metadata')
    if (transaction === undefined) return undefined
    const found = { ...known, state: 'done', unsure: false, transaction } as const
    await this.#mark(found)
    return resultOf(found)
  }

  async #send(
    folder: string,
    options: UploadOptions,
    number: number,
    known: UploadRecord | undefined,
  ): Promise<UploadResult> {
    const { uploads, log } = this.#needs
    const unsure = known?.unsure === true || (known !== undefined && this.#stepFor(known) === 'ask')
    if (unsure) log.warn({ task: this.#options.taskId, upload: number }, 'upload.unsure')
    let record: Stored = {
      ...{ number, state: 'begun', last: options.last === true, unsure },
      ...{ jobId: null, bundle: null, transaction: null },
    }
    const next = async (changes: Partial<Stored>) => {
      record = { ...record, ...changes }
      await this.#mark(record)
      // Once is enough: it may be long.
      record = { ...record, manifest: undefined }
    }
    await next({})
    const ending = holdOff(options.signal)
    const telling = transferProgress('upload', this.#needs.progress)
    const uploading = uploads.uploaderFor(number).upload(folder, {
      ...options,
      ...ending.options,
      onProgress: (now) => {
        telling.moved(now)
        options.onProgress?.(now)
      },
      onNews: (said) => {
        telling.heard(said)
        options.onNews?.(said)
      },
      keyValues: withProvenance(options.keyValues, this.#options.provenance),
      onFiles: (files) => {
        record = { ...record, manifest: manifestOf(files) }
        options.onFiles?.(files)
      },
      beforeLast: async () => {
        ending.begin()
        await next({ state: 'ending' })
      },
      onJob: async (jobId) => {
        await next({ state: 'sent', jobId })
        ending.end()
        await options.onJob?.(jobId)
      },
    })
    const result = await uploading.catch(async (error: unknown) => {
      // Refused, or never arrived: there is no doubt.
      if (record.state === 'ending' && changedNothing(error)) await next({ state: 'begun' })
      throw error
    })
    await next({ state: 'done', bundle: result.bundle ?? null, jobId: result.jobId ?? null })
    return result
  }

  async #mark(upload: Stored): Promise<void> {
    if (!(await this.#needs.mark(upload))) throw new LeaseLostError(this.#options.taskId)
  }
}

function resultOf({ bundle, jobId }: Stored): UploadResult {
  return { bundle: bundle ?? undefined, jobId: jobId ?? undefined, state: {} }
}

/** A signal that passes on nothing between `begin` and `end`: a bundle whose last bytes are away is not left in doubt. */
function holdOff(signal: AbortSignal | undefined) {
  if (signal === undefined) return { options: {}, begin() {}, end() {} }
  const passed = new AbortController()
  let held = false
  const pass = () => {
    if (!held) passed.abort(signal.reason)
  }
  if (signal.aborted) pass()
  else signal.addEventListener('abort', pass, { once: true })
  return {
    options: { signal: passed.signal },
    begin() {
      held = true
    },
    end() {
      held = false
      if (signal.aborted) pass()
    },
  }
}
