/**
 * Runs an author's code here, with no services: a scratch folder, bundles on disk, and what it says as data. What it runs
 * on, run-handler and run-join know.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DownloaderRunner } from '../download/downloader-runner.ts'
import type { Progress, TaskContext, TaskLog } from '../handlers/task-context.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import { BundleCollector, readyForBundles } from './bundle-collector.ts'
import { inTime, RunStop } from './in-time.ts'
import type { Bundle } from './read-bundle.ts'
import { withEnvironment } from './with-environment.ts'

/** A line of the handler's log. */
export interface LogLine {
  /** Which method of the log it came by. */
  readonly level: 'info' | 'warn' | 'error'
  /** The name of what happened. */
  readonly message: string
  /** What belongs to it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** How far a transfer is. */
export interface Transfer extends TransferProgress {
  /** Which way. */
  readonly kind: 'download' | 'upload'
}

/** How a run goes about it, whatever it runs on. */
export interface RunOptions {
  /**
   * Where bundles are kept, as `bundle-1.tar` and unpacked in `bundle-1/`; those of an earlier run are removed. Unless
   * given they go with the scratch folder.
   */
  readonly out?: string | URL
  /** Aborts the handler's signal after so many milliseconds. */
  readonly timeoutMs?: number
  /** Aborts the handler's signal. */
  readonly signal?: AbortSignal
  /** Milliseconds that the handler has after its signal aborted, before it is no longer waited for. 10 000, as in the service. */
  readonly graceMs?: number
  /** Variables that the handler sees in `process.env`, put back afterwards: one run at a time in a process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Told of each line of the log as it comes. */
  readonly onLog?: (line: LogLine) => void
  /** Told what the handler says of its progress. */
  readonly onProgress?: (progress: Progress) => void
  /** Told how far downloads and uploads are. */
  readonly onTransfer?: (transfer: Transfer) => void
}

/** What a run leaves, whatever it ran on. */
export interface RunResult {
  /** What was uploaded, in order. */
  readonly bundles: readonly Bundle[]
  /** What the handler logged, in order. */
  readonly log: readonly LogLine[]
  /** What the handler said of its progress. */
  readonly progress: readonly Progress[]
  /** Milliseconds. */
  readonly durationMs: number
}

/** How the author's code ended; `timed-out` and `aborted` when its signal had aborted. */
export type RunOutcome = 'done' | 'failed' | 'timed-out' | 'aborted'

export interface Ran extends RunResult {
  readonly outcome: RunOutcome
  readonly error: Error | undefined
}

type Told = (progress: TransferProgress) => void

export interface RunWork {
  /** @param given a folder for what has to be put somewhere first; it exists */
  readonly downloader: (given: string, told: Told) => Promise<DownloaderRunner>
  readonly handle: (context: TaskContext) => Promise<void>
}

/** What `handle` does wrong is in the result. The scratch folder is removed, whatever happens. */
export async function runHere(options: RunOptions, work: RunWork): Promise<Ran> {
  const scratch = await mkdtemp(join(tmpdir(), 'pacifica-run-'))
  try {
    return await withEnvironment(options.env ?? {}, () => runIn(scratch, options, work))
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function runIn(scratch: string, options: RunOptions, work: RunWork): Promise<Ran> {
  const [folder, given] = [join(scratch, 'task'), join(scratch, 'given')]
  await Promise.all([mkdir(folder), mkdir(given)])
  const told = (kind: Transfer['kind']) => (progress: TransferProgress) =>
    options.onTransfer?.({ kind, ...progress })
  const downloader = await work.downloader(given, told('download'))
  const uploader = await collectorFor(options, join(scratch, 'bundles'), told('upload'))
  const log: LogLine[] = []
  const progress: Progress[] = []
  const stop = new RunStop(options)
  const began = performance.now()
  const error = await inTime(stop, (signal) =>
    work.handle({
      ...{ taskId: 'run-here', signal, folder, downloader, uploader, provenance: [] },
      log: logInto(log, options.onLog),
      progress: (now) => {
        progress.push(now)
        options.onProgress?.(now)
      },
    }),
  )
  const durationMs = performance.now() - began
  const outcome = stop.outcomeOf(error)
  return { outcome, error, bundles: uploader.bundles, log, progress, durationMs }
}

async function collectorFor(
  { out }: RunOptions,
  scratch: string,
  told: Told,
): Promise<BundleCollector> {
  const kept = out !== undefined
  const folder = out instanceof URL ? fileURLToPath(out) : resolve(out ?? scratch)
  await readyForBundles(folder)
  return new BundleCollector({ folder, kept, told })
}

function logInto(lines: LogLine[], onLog: RunOptions['onLog']): TaskLog {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const line = { level, message, fields }
      lines.push(line)
      onLog?.(line)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
