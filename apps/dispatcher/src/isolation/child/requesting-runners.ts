/** A handler's runners in its child process: they ask the supervisor for the transfer and wait for its answer. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import {
  DownloaderRunner,
  type DownloadOptions,
  type File,
  type Opener,
  type TransferOptions,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import type { ToChild, ToSupervisor, WireDownload, WireUpload } from '../messages.ts'
import { fromWire } from '../wire-errors.ts'

type Asked = Omit<WireDownload, 'transfer'> | Omit<WireUpload, 'transfer'>
type Answer = Exclude<ToChild, { readonly kind: 'job' | 'stop' }>

interface Waiting {
  readonly options: TransferOptions & Pick<UploadOptions, 'onJob'>
  readonly resolve: (result: UploadResult) => void
  readonly reject: (error: unknown) => void
}

const NOTHING: UploadResult = { bundle: undefined, jobId: undefined, state: {} }

/** The transfers that the supervisor was asked for. */
export class Requests {
  readonly #send: (message: ToSupervisor) => void
  readonly #waiting = new Map<number, Waiting>()
  #number = 0

  constructor(send: (message: ToSupervisor) => void) {
    this.#send = send
  }

  /** Rejects with what the supervisor's runner threw, or with the signal's reason when the caller called it off. */
  async ask(kind: 'download' | 'upload', asked: Asked, options: Waiting['options']) {
    const { signal } = options
    signal?.throwIfAborted()
    this.#number += 1
    const transfer = this.#number
    const callOff = () => this.#send({ kind: 'call-off', transfer })
    signal?.addEventListener('abort', callOff, { once: true })
    try {
      return await new Promise<UploadResult>((resolve, reject) => {
        this.#waiting.set(transfer, { options, resolve, reject })
        this.#send({ kind, ...asked, transfer } as ToSupervisor)
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', callOff)
      this.#waiting.delete(transfer)
    }
  }

  hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.transfer)
    if (waiting === undefined) return
    const { options, resolve, reject } = waiting
    if (answer.kind === 'moved') options.onProgress?.(answer.progress)
    else if (answer.kind === 'news') options.onNews?.(answer.said)
    else if (answer.kind === 'job-number') void options.onJob?.(answer.jobId)
    else if (answer.kind === 'transferred') resolve(answer.result ?? NOTHING)
    else reject(fromWire(answer.error))
  }
}

export class RequestingDownloader extends DownloaderRunner {
  readonly #requests: Requests

  constructor(requests: Requests) {
    super()
    this.#requests = requests
  }

  /** `options.onCart` is the supervisor's: it sees to it that none is left. */
  override async download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    const { maxBytes } = options
    const asked = {
      files: files.map((file) => ({ ...file })),
      maxBytes,
      ...common(folder, options),
    }
    await this.#requests.ask('download', asked, options)
    // The supervisor's runner has checked the names.
    return files.map((file) => {
      const place = join(folder, 'data', file.path)
      return () => createReadStream(place)
    })
  }
}

export class RequestingUploader extends UploaderRunner {
  readonly #requests: Requests

  constructor(requests: Requests) {
    super()
    this.#requests = requests
  }

  /** `options.onJob` is told, and not waited for; `beforeLast` is the supervisor's. */
  override upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    const { transaction, keyValues, last = false } = options
    const asked = {
      transaction: { ...transaction },
      keyValues: keyValues.map(({ key, value }) => ({ key, value })),
      last,
      ...common(folder, options),
    }
    return this.#requests.ask('upload', asked, options)
  }
}

function common(folder: string, { timeout, onProgress }: TransferOptions) {
  return { folder, timeout, watched: onProgress !== undefined }
}
