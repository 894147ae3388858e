/** What has come of which task, as Ingest has it and as Metadata would say. */
import { createServer } from 'node:http'
import type { IngestJob, SimulatedIngest } from './ingest.ts'
import { type Listening, listenOn } from './listening.ts'

const TASK_KEY = 'pacifica-dispatcher.task'

export function taskOf({ bundle }: IngestJob): string {
  return String(bundle.metadata.find(({ key }) => key === TASK_KEY)?.['value'])
}

/** A Metadata that knows every result that Ingest has accepted: that has become a transaction. */
export function startMetadataOf(ingest: () => Pick<SimulatedIngest, 'jobs'>): Promise<Listening> {
  return listenOn(
    createServer((_request, response) => {
      const values: Record<string, number[]> = {}
      for (const job of ingest().jobs) {
        const task = taskOf(job)
        values[task] = [...(values[task] ?? []), 1_000 + job.id]
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(values))
    }),
  )
}
