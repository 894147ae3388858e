/**
 * A simulated Ingest: takes bundles, unpacks them and checks every hash as the real one does, and keeps what it got. A
 * switch for each way in which the real one, the network or a proxy may fail.
 */
import { open } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type ReadBundle, readBundle } from './ingest-bundle.ts'
import { type IngestFaults, STEPS, type Step, TRACEBACK } from './ingest-faults.ts'
import { type Registry, register } from './ingest-register.ts'
import { atOnce, type Listening, listenOn } from './listening.ts'

/** What came of one upload. */
export interface IngestJob {
  readonly id: number
  readonly bundle: ReadBundle
  /** Where its bytes are kept; undefined unless they are. */
  readonly file: string | undefined
  /** Of the upload. */
  readonly headers: IncomingMessage['headers']
  readonly acceptedAt: number
  /** Where it failed; undefined while it has not. */
  readonly failedAt: { readonly step: Step; readonly exception: string } | undefined
  /** Metadata has not answered yet. */
  readonly registering: boolean
}

export interface SimulatedIngest extends Listening {
  readonly jobs: readonly IngestJob[]
  readonly calls: readonly string[]
  /** How many uploads began. */
  readonly uploads: number
  readonly lastHeaders: IncomingMessage['headers']
}

export interface IngestOptions {
  /** For each upload, counted from 1; none unless given. */
  readonly faults?: (upload: number) => IngestFaults
  /** The members' bytes are thrown away after hashing: for bundles that are larger than memory. */
  readonly forgetBytes?: boolean
  /** What becomes of a bundle that is in order; nothing unless given. */
  readonly registry?: Registry
  /** A folder in which every upload is kept byte for byte, `upload-1.tar` and so on. */
  readonly keepIn?: string
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

interface World {
  readonly jobs: Mutable<IngestJob>[]
  readonly faults: IngestFaults[]
  readonly options: IngestOptions
  readonly ended: AbortSignal
  uploads: number
}

export async function startIngest(options: IngestOptions = {}): Promise<SimulatedIngest> {
  const ended = new AbortController()
  const world: World = { jobs: [], faults: [], options, ended: ended.signal, uploads: 0 }
  const calls: string[] = []
  let lastHeaders: IncomingMessage['headers'] = {}
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`)
    lastHeaders = request.headers
    const { pathname } = new URL(request.url ?? '', 'http://ingest')
    if (request.method === 'POST' && pathname === '/upload') {
      atOnce(() => upload(world, request, response), response)
    } else if (request.method === 'GET' && pathname === '/get_state') {
      state(world, request, response)
    } else json(response, 404, { message: `The path '${pathname}' was not found.` })
  })
  const listening = await listenOn(server)
  return {
    url: listening.url,
    async close() {
      ended.abort()
      await listening.close()
    },
    jobs: world.jobs,
    calls,
    get uploads() {
      return world.uploads
    },
    get lastHeaders() {
      return lastHeaders
    },
  }
}

async function upload(world: World, request: IncomingMessage, response: ServerResponse) {
  world.uploads += 1
  const faults = world.options.faults?.(world.uploads) ?? {}
  if (faults.refuses !== undefined) {
    response.writeHead(faults.refuses, { connection: 'close' }).end('not like this')
    return
  }
  const { bundle, file } = await receive(world, request, faults)
  const id = world.jobs.length + 2
  const { headers } = request
  const failedAt = failureOf(bundle, faults)
  const acceptedAt = performance.now()
  const job: Mutable<IngestJob> = {
    id,
    bundle,
    file,
    headers,
    acceptedAt,
    failedAt,
    registering: false,
  }
  world.jobs.push(job)
  world.faults.push(faults)
  const { registry } = world.options
  // In its own time: the upload is answered before, as by the real one.
  if (registry && failedAt === undefined) {
    job.registering = true
    atOnce(() => finish(job, registry, world.ended), response)
  }
  if (faults.hangsAfterUpload) return
  if (faults.saysInstead !== undefined) return void response.end(faults.saysInstead)
  json(response, 200, stateObject(job, 'UPLOADING', '0.00000', 'OK', ''))
}

async function receive(
  { uploads, options }: World,
  request: IncomingMessage,
  faults: IngestFaults,
): Promise<Pick<IngestJob, 'bundle' | 'file'>> {
  const { keepIn, forgetBytes = false } = options
  const file = keepIn === undefined ? undefined : join(keepIn, `upload-${uploads}.tar`)
  const kept = file === undefined ? undefined : await open(file, 'w')
  try {
    const bundle = await readBundle(request, {
      forgetBytes,
      slowMs: faults.readsSlowlyMs ?? 0,
      resetAfter: faults.resetsAfter ?? Number.POSITIVE_INFINITY,
      hangAfter: faults.hangsAfter ?? Number.POSITIVE_INFINITY,
      keep: kept && ((piece) => kept.writeFile(piece)),
    })
    return { bundle, file }
  } finally {
    await kept?.close()
  }
}

async function finish(job: Mutable<IngestJob>, registry: Registry, ended: AbortSignal) {
  const exception = await register(job.bundle, registry, ended)
  if (exception !== undefined) job.failedAt = { step: 'ingest metadata', exception }
  job.registering = false
}

/** The order of the real one: the tar, metadata.txt, Policy, the files, Metadata. */
function failureOf(bundle: ReadBundle, faults: IngestFaults): IngestJob['failedAt'] {
  if (faults.failsAt !== undefined) {
    return { step: faults.failsAt, exception: faults.exception ?? TRACEBACK[faults.failsAt] }
  }
  return bundle.failure
}

function state(world: World, request: IncomingMessage, response: ServerResponse): void {
  const id = new URL(request.url ?? '', 'http://ingest').searchParams.get('job_id')
  const index = world.jobs.findIndex((job) => String(job.id) === id)
  const job = world.jobs[index]
  const faults = world.faults[index]
  if (job === undefined || faults === undefined || faults.forgetsJob) {
    json(response, 404, { message: 'Job ID not found.' })
    return
  }
  const asked = performance.now() - job.acceptedAt
  if (faults.stateFails?.(asked)) return void response.writeHead(503).end('try later')
  if (faults.stateResets?.(asked)) return void response.destroy()
  if (faults.stateSays !== undefined) return void response.end(faults.stateSays)
  json(response, 200, stateAfter(job, asked, faults))
}

function stateAfter(job: IngestJob, ms: number, faults: IngestFaults): object {
  const { stepMs = 0, stuckAt, odd = {} } = faults
  const reached = stepMs === 0 ? STEPS.length : Math.floor(ms / stepMs)
  const step = STEPS[Math.min(reached, STEPS.length - 1)] as Step
  if (stuckAt !== undefined && STEPS.indexOf(stuckAt) <= reached) {
    return { ...stateObject(job, stuckAt, '50.00000', 'OK', ''), ...odd }
  }
  if (job.failedAt && STEPS.indexOf(job.failedAt.step) <= reached) {
    return stateObject(job, job.failedAt.step, '0.00000', 'FAILED', job.failedAt.exception)
  }
  if (job.registering && reached >= STEPS.indexOf('ingest metadata')) {
    return stateObject(job, 'ingest metadata', '50.00000', 'OK', '')
  }
  const done = reached >= STEPS.length
  return { ...stateObject(job, step, done ? '100.00000' : '10.00000', 'OK', ''), ...odd }
}

function stateObject(
  job: IngestJob,
  task: Step,
  percent: string,
  state: string,
  exception: string,
) {
  return {
    job_id: job.id,
    state,
    task,
    task_percent: percent,
    complete: state === 'OK' && task === 'ingest metadata' && percent === '100.00000',
    updated: '2026-11-21 22:22:07',
    created: '2026-11-21 22:22:06',
    exception,
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
