/** The supervisor's side of a handler's transfers: does them with the job's runners, in the task's scratch folder alone. */
import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import {
  File,
  Transaction,
  TransactionKeyValue,
  type TransferProgress,
  type UploadResult,
} from '@pacifica/core'
import type { Job } from './isolation.ts'
import type { ToChild, WireDownload, WireUpload } from './messages.ts'
import { toWire } from './wire-errors.ts'

/** A handler named a folder that is not its task's. */
export class OutsideScratchError extends Error {
  override readonly name = 'OutsideScratchError'
  readonly code = 'OUTSIDE_SCRATCH'
  constructor(folder: string) {
    super(
      `${folder} is not in the task's folder: download to, and upload from, a folder below context.folder`,
    )
  }
}

export interface ServedTransfers {
  download(asked: WireDownload): void
  upload(asked: WireUpload): void
  callOff(transfer: number): void
  callOffAll(reason: unknown): void
  /** The upload after which the handler does nothing more, if it is going on. Never rejects. */
  lastUpload(): Promise<Finished> | undefined
  /** Resolves when no transfer is going on. */
  settled(): Promise<void>
}

export type Finished = { readonly result: UploadResult } | { readonly error: unknown }

interface Going {
  readonly stop: AbortController
  readonly finished: Promise<unknown>
  readonly last: Promise<Finished> | undefined
}

/** How often a handler is told how far its transfer is. */
const TELL_MS = 250

export function serveTransfers(job: Job, send: (message: ToChild) => void): ServedTransfers {
  const going = new Map<number, Going>()

  function begin(
    transfer: number,
    work: (signal: AbortSignal) => Promise<Finished>,
    last: boolean,
  ) {
    const stop = new AbortController()
    const finished = work(stop.signal).then((end) => {
      going.delete(transfer)
      send(answer(transfer, end))
      return end
    })
    going.set(transfer, { stop, finished, last: last ? finished : undefined })
  }

  const watching = (transfer: number, watched: boolean) => ({
    onNews: (said: string) => send({ kind: 'news', transfer, said }),
    ...(watched && {
      onProgress: seldom((progress) => send({ kind: 'moved', transfer, progress })),
    }),
  })

  return {
    download(asked) {
      const { transfer, files, maxBytes } = asked
      const options = { ...timeoutOf(asked), ...(maxBytes === undefined ? {} : { maxBytes }) }
      const work = async (signal: AbortSignal) => {
        const folder = await inScratch(job.folder, asked.folder)
        const wanted = files.map((file) => new File(file))
        await job.downloader.download(folder, wanted, {
          ...options,
          ...watching(transfer, asked.watched),
          signal,
        })
        return { bundle: undefined, jobId: undefined, state: {} }
      }
      begin(transfer, (signal) => finishing(work(signal)), false)
    },
    upload(asked) {
      const { transfer, last } = asked
      const work = async (signal: AbortSignal) => {
        const folder = await inScratch(job.folder, asked.folder)
        return await job.uploader.upload(folder, {
          ...timeoutOf(asked),
          ...watching(transfer, asked.watched),
          transaction: new Transaction(asked.transaction),
          keyValues: asked.keyValues.map((keyValue) => new TransactionKeyValue(keyValue)),
          signal,
          last,
          onJob: (jobId) => send({ kind: 'job-number', transfer, jobId }),
        })
      }
      begin(transfer, (signal) => finishing(work(signal)), last)
    },
    callOff: (transfer) => going.get(transfer)?.stop.abort(),
    callOffAll(reason) {
      for (const { stop } of going.values()) stop.abort(reason)
    },
    lastUpload: () => [...going.values()].find(({ last }) => last !== undefined)?.last,
    async settled() {
      await Promise.all([...going.values()].map(({ finished }) => finished))
    },
  }
}

async function finishing(work: Promise<UploadResult>): Promise<Finished> {
  try {
    return { result: await work }
  } catch (error) {
    return { error }
  }
}

function answer(transfer: number, end: Finished): ToChild {
  if ('result' in end) return { kind: 'transferred', transfer, result: end.result }
  return { kind: 'not-transferred', transfer, error: toWire(end.error) }
}

function timeoutOf({ timeout }: { readonly timeout: number | undefined }) {
  return timeout === undefined ? {} : { timeout }
}

function seldom(tell: (progress: TransferProgress) => void): (progress: TransferProgress) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (progress) => {
    const now = performance.now()
    if (now - toldAt < TELL_MS && progress.bytes !== progress.total) return
    toldAt = now
    tell(progress)
  }
}

async function inScratch(scratch: string, folder: string): Promise<string> {
  const [own, real] = await Promise.all([realpath(scratch), realpath(folder)])
  if (real === own || real.startsWith(own + sep)) return folder
  throw new OutsideScratchError(folder)
}
