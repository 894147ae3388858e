/**
 * The child process of a task: says that it is ready, is given its job, runs the handler, says how it ended, and waits to
 * be ended. It never outlives its supervisor.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type Dispatcher, Event, type TaskContext, TransactionKeyValue } from '@pacifica/core'
import { loadDispatcher } from '../../load-dispatcher.ts'
import { retryOf } from '../../tasks/retry.ts'
import type { Outcome } from '../../tasks/task.ts'
import { describeThrown } from '../../tasks/thrown.ts'
import { PARENT_DESCRIPTOR, type ToChild, type ToSupervisor, type WireJob } from '../messages.ts'
import { runHere, type Work } from '../run-here.ts'
import { fromWire } from '../wire-errors.ts'
import { RequestingDownloader, RequestingUploader, Requests } from './requesting-runners.ts'

/** @param dispatcher the program's own; without it the module that the job names is loaded */
export async function runAsChild({
  mark,
  dispatcher,
}: {
  readonly mark: string
  readonly dispatcher?: Dispatcher
}): Promise<void> {
  await watchParent(mark)
  // Whoever stops the service stops the supervisor; that decides what becomes of its tasks.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  let workingFolder = process.cwd()
  const failed = (error: unknown) => end(thrown(error, workingFolder))
  process.on('uncaughtException', failed)
  process.on('unhandledRejection', failed)
  const stop = new AbortController()
  const requests = new Requests(send)
  const job = await new Promise<WireJob>((resolve) => {
    process.on('message', (message: ToChild) => {
      if (message.kind === 'job') resolve(message)
      else if (message.kind === 'stop') stop.abort(fromWire(message.reason))
      else requests.hear(message)
    })
    send({ kind: 'ready' })
  })
  workingFolder = job.workingFolder
  try {
    const own = dispatcher ?? (await loadDispatcher(job.module ?? '', workingFolder))
    const context = contextFor(job, requests, stop.signal)
    end(await runHere(own, workOf(job), context, workingFolder))
  } catch (error) {
    failed(error)
  }
}

function workOf({ event, joined }: WireJob): Work {
  if (joined === undefined) return { event: Event.parse(event) }
  const texts = Object.entries(joined.events)
  const events = Object.fromEntries(texts.map(([slot, text]) => [slot, Event.parse(text)]))
  return { event: Event.parse(event), joined: { ...joined, events } }
}

async function watchParent(mark: string): Promise<void> {
  const worker = new Worker(new URL('./parent-watch.js', import.meta.url), {
    workerData: { descriptor: PARENT_DESCRIPTOR, mark },
    execArgv: [],
  })
  await once(worker, 'online')
  worker.unref()
}

function contextFor(job: WireJob, requests: Requests, signal: AbortSignal): TaskContext {
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
      send({ kind: 'log', level, message, fields: plain(fields) })
  return {
    taskId: job.taskId,
    signal,
    folder: job.folder,
    downloader: new RequestingDownloader(requests),
    uploader: new RequestingUploader(requests),
    log: { info: line('info'), warn: line('warn'), error: line('error') },
    progress: (progress) => send({ kind: 'progress', progress: { ...progress } }),
    provenance: job.provenance.map((keyValue) => new TransactionKeyValue(keyValue)),
  }
}

/** Members that cannot be sent, such as functions, are named by their text. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const clone = ([name, value]: [string, unknown]) => {
    try {
      return [name, structuredClone(value)]
    } catch {
      return [name, String(value)]
    }
  }
  return Object.fromEntries(Object.entries(fields).map(clone))
}

function thrown(error: unknown, workingFolder: string): Outcome {
  return { kind: 'threw', failure: describeThrown(error, workingFolder), ...retryOf(error) }
}

function end(outcome: Outcome): void {
  send({ kind: 'end', outcome })
}

function send(message: ToSupervisor): void {
  process.send?.(message, () => undefined)
}
