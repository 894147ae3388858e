/**
 * Handlers in this process. Nothing can end a handler that does not listen to its signal, and one that keeps the CPU
 * busy starves the heartbeat: for tests.
 */
import type { Dispatcher, TaskContext } from '@pacifica/core'
import type { Isolation, Job } from './isolation.ts'
import { runHere } from './run-here.ts'

export function inlineIsolation({ dispatcher }: { readonly dispatcher: Dispatcher }): Isolation {
  return {
    run: (job, signal) => runHere(dispatcher, job, contextFor(job, signal), process.cwd()),
  }
}

function contextFor(job: Job, signal: AbortSignal): TaskContext {
  const { taskId, folder, downloader, uploader, provenance, notes } = job
  const { log, progress } = notes
  return { taskId, signal, folder, downloader, uploader, log, progress, provenance }
}
