/** Ingest's two calls: hand in a bundle, ask how its job is. */
import type { JsonObject } from '../events/json.ts'
import { ServiceAnswerError } from '../transfer/errors.ts'
import { below, nameOf, type Service, type Upload } from '../transfer/service.ts'
import { IngestJobUnknownError } from './errors.ts'
import { readJob } from './ingest-state.ts'

export type Job = JsonObject & { readonly job_id: number }

export interface IngestClient {
  readonly url: URL
  /** Never repeated by itself: a bundle handed in twice would be two transactions. */
  upload(upload: Upload, signal: AbortSignal): Promise<Job>
  state(jobId: number, signal: AbortSignal): Promise<Job>
}

/** @param statusUrl `<url>/get_state` unless given */
export function ingestClient(service: Service, statusUrl?: URL): IngestClient {
  // The Python configuration has the whole upload URL.
  const base = new URL(service.url)
  base.pathname = base.pathname.replace(/\/upload\/?$/, '')
  const stateUrl = statusUrl ?? below(base, 'get_state')
  return {
    url: base,
    async upload(upload, signal) {
      const url = below(base, 'upload')
      const call = { method: 'POST', url, signal, upload } as const
      const { status, text } = await service.ask(call)
      const job = status === 200 ? readJob(text) : undefined
      if (job === undefined) throw unexpected(nameOf(call), status, text)
      return job
    },
    async state(jobId, signal) {
      const url = new URL(stateUrl)
      url.searchParams.set('job_id', String(jobId))
      const call = { method: 'GET', url, signal } as const
      const { status, text } = await service.ask(call)
      if (status === 404) throw new IngestJobUnknownError(jobId, nameOf(call))
      const job = status === 200 ? readJob(text) : undefined
      if (job === undefined) throw unexpected(nameOf(call), status, text)
      return job
    },
  }
}

function unexpected(call: string, status: number, text: string): ServiceAnswerError {
  if (status !== 200) return new ServiceAnswerError(call, status, text)
  return new ServiceAnswerError(call, status, text, ', which is no job; is this Ingest?')
}
