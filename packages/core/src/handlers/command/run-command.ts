/** Runs one executable to its end, whoever brings that about. Nothing that it started is there afterwards. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Captured, type CaptureOptions, capture } from './captured-output.ts'
import type { CommandEnd } from './errors.ts'
import { sizeOf } from './folder-size.ts'
import { askToEnd, endAll, HAS_GROUPS } from './process-group.ts'

export interface CommandRun {
  readonly words: readonly [string, ...string[]]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** The run's mark, which the environment has. */
  readonly mark: string
  readonly stdout: CaptureOptions
  readonly stderr: CaptureOptions
  /** Where it may write `maxBytes`. */
  readonly measured: readonly string[]
}

export interface CommandLimits {
  readonly timeout?: number
  readonly grace: number
  readonly maxBytes?: number
}

/** Why it was ended before its time. */
type Cause =
  | { readonly kind: 'too-long' }
  | { readonly kind: 'too-large'; readonly bytes: number }
  | { readonly kind: 'called-off' }
  /** Its output could not be kept; the `Captured` have the error. */
  | { readonly kind: 'unheard' }

export type Ended = (Cause | { readonly kind: 'by-itself'; readonly end: CommandEnd }) & {
  readonly stdout: Captured
  readonly stderr: Captured
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Between two looks at how much it has written; longer where looking itself takes long. */
const LOOK_MS = 1_000
/** How long streams are listened to when what still holds them is nothing that could be found and ended. */
const LAST_WORDS_MS = 5_000

/** Rejects with the system's error when it cannot be started. */
export async function runCommand(
  run: CommandRun,
  limits: CommandLimits,
  signal: AbortSignal,
): Promise<Ended> {
  const child = await start(run)
  const over = new AbortController()
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const outputs = [capture(child.stdout, run.stdout), capture(child.stderr, run.stderr)] as const
  const causes = [
    ...causesOf(run, limits, signal, over.signal),
    Promise.all(outputs).then(never, () => ({ kind: 'unheard' }) as const),
  ]
  try {
    const cause = await untilItEnds(child, exited, causes, run.mark, limits.grace)
    const [exitCode, killedBy] = await exited
    const [stdout, stderr] = await lastWords(child, outputs)
    if (cause !== undefined) return { ...cause, stdout, stderr }
    const bytes = limits.maxBytes === undefined ? 0 : await sizeOf(run.measured)
    if (bytes > (limits.maxBytes ?? 0)) return { kind: 'too-large', bytes, stdout, stderr }
    const end = { exitCode: exitCode ?? undefined, signal: killedBy ?? undefined }
    return { kind: 'by-itself', end, stdout, stderr }
  } finally {
    over.abort()
  }
}

async function start({ words, folder, environment }: CommandRun): Promise<Child> {
  const [program, ...rest] = words
  const child = spawn(program, rest, {
    cwd: folder,
    env: environment,
    detached: HAS_GROUPS,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  await once(child, 'spawn')
  return child
}

/** Its processes have been ended when this returns. Undefined: it came to its end by itself. */
async function untilItEnds(
  { pid }: Child,
  exited: Promise<unknown>,
  causes: readonly Promise<Cause>[],
  mark: string,
  graceMs: number,
): Promise<Cause | undefined> {
  const leader = pid as number
  try {
    const cause = await Promise.race([exited.then(() => undefined), ...causes])
    if (cause !== undefined) {
      askToEnd(leader)
      await within(graceMs, exited)
    }
    return cause
  } finally {
    endAll(leader, mark)
  }
}

function causesOf(
  { measured }: CommandRun,
  { timeout, maxBytes }: CommandLimits,
  signal: AbortSignal,
  over: AbortSignal,
): Promise<Cause>[] {
  const causes: Promise<Cause>[] = [calledOff(signal, over)]
  if (timeout !== undefined) causes.push(tooLong(timeout, over))
  if (maxBytes !== undefined) causes.push(tooLarge(measured, maxBytes, over))
  // Each rejects when all is over, and nobody waits for it any more.
  return causes.map((cause) => cause.catch(never))
}

async function calledOff(signal: AbortSignal, over: AbortSignal): Promise<Cause> {
  if (!signal.aborted) await once(signal, 'abort', { signal: over })
  return { kind: 'called-off' }
}

async function tooLong(ms: number, over: AbortSignal): Promise<Cause> {
  await sleep(ms, undefined, { signal: over })
  return { kind: 'too-long' }
}

async function tooLarge(
  folders: readonly string[],
  maxBytes: number,
  over: AbortSignal,
): Promise<Cause> {
  for (let waitMs = LOOK_MS; ; ) {
    await sleep(waitMs, undefined, { signal: over })
    const began = performance.now()
    const bytes = await sizeOf(folders)
    if (bytes > maxBytes) return { kind: 'too-large', bytes }
    waitMs = Math.max(LOOK_MS, 10 * (performance.now() - began))
  }
}

/** The streams' rest. Something may hold them that has left the group and cleared its environment. */
async function lastWords(
  { stdout, stderr }: Child,
  outputs: readonly [Promise<Captured>, Promise<Captured>],
): Promise<[Captured, Captured]> {
  await within(LAST_WORDS_MS, Promise.allSettled(outputs))
  stdout.destroy()
  stderr.destroy()
  const [out, err] = await Promise.allSettled(outputs)
  return [heard(out), heard(err)]
}

function heard(settled: PromiseSettledResult<Captured>): Captured {
  if (settled.status === 'fulfilled') return settled.value
  return { bytes: 0, unlogged: 0, tail: '', error: settled.reason }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController()
  const late = sleep(ms, undefined, { signal: done.signal }).catch(() => undefined)
  await Promise.race([work, late]).finally(() => done.abort())
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
