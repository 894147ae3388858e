/**
 * Each handler in a process of its own, the leader of a process group of its own: it cannot starve the heartbeat, it
 * can be ended, and it sees nothing of our credentials. It asks for its transfers; this side does them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { type Log, sleep } from '@pacifica/platform'
import { failureOf } from '../tasks/failure.ts'
import { retryOf } from '../tasks/retry.ts'
import type { Outcome } from '../tasks/task.ts'
import { childEnvironment, type Environment, temporaryFolder } from './child-environment.ts'
import type { Isolation, Job, JoinedJob, RunNotes } from './isolation.ts'
import type { ToChild, ToSupervisor } from './messages.ts'
import { endTree, recordOf } from './process-tree.ts'
import { type ServedTransfers, serveTransfers } from './served-transfers.ts'
import { toWire } from './wire-errors.ts'

export interface ChildProcessOptions {
  /** What the child runs: it must come to `runAsChild` (child/run-child.ts). */
  readonly program: string
  /** Flags for its Node; those of this process unless given. */
  readonly nodeFlags?: readonly string[]
  /** DISPATCHER_MODULE, if the program does not bring its own dispatcher. */
  readonly module: string | undefined
  readonly workingFolder: string
  readonly env: Environment
  /** Of the environment, beside what every program needs. */
  readonly envNames: readonly string[]
}

type Ending =
  | { readonly kind: 'said'; readonly outcome: Outcome }
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'failed'; readonly error: unknown }

/** How long what a child has written is waited for, once it has ended. */
const OUTPUT_MS = 5_000

/** The handler's process is gone, so nobody waits for its transfers. */
class HandlerEndedError extends Error {
  readonly code = 'HANDLER_ENDED'
  constructor() {
    super("the handler's process has ended")
  }
}

export function childProcessIsolation(
  needs: { readonly log: Log },
  options: ChildProcessOptions,
): Isolation {
  return {
    async run(job, signal) {
      const mark = randomUUID()
      const child = await start(options, job.folder, mark)
      if (child instanceof Error) {
        return { kind: 'crashed', failure: failureOf(child, options.workingFolder) }
      }
      const log = needs.log.child({ task: job.taskId, child: child.pid })
      log.debug('child.started')
      try {
        return await supervise(child, mark, options, job, signal)
      } finally {
        log.debug({ code: child.exitCode, signal: child.signalCode }, 'child.ended')
      }
    },
  }
}

async function start(
  options: ChildProcessOptions,
  folder: string,
  mark: string,
): Promise<ChildProcess | Error> {
  const { program, nodeFlags = flagsForChildren(process.execArgv), env, envNames } = options
  try {
    await mkdir(temporaryFolder(folder), { recursive: true })
    const child = fork(program, [], {
      cwd: folder,
      env: childEnvironment(env, { names: envNames, folder, mark }),
      execArgv: [...nodeFlags],
      detached: true,
      serialization: 'advanced',
      // The last is never written to: the child notices when this process has gone (child/parent-watch.ts).
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    })
    await once(child, 'spawn')
    return child
  } catch (error) {
    return error as Error
  }
}

/** A debugger's port can be had once. */
function flagsForChildren(flags: readonly string[]): string[] {
  return flags.filter((flag) => !flag.startsWith('--inspect'))
}

async function supervise(
  child: ChildProcess,
  mark: string,
  options: ChildProcessOptions,
  job: Job,
  signal: AbortSignal,
): Promise<Outcome> {
  const pid = child.pid as number
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const send = (message: ToChild) => {
    if (child.connected) child.send(message, () => undefined)
  }
  const transfers = serveTransfers(job, send)
  const ask = () => {
    send({ kind: 'stop', reason: toWire(signal.reason) })
    transfers.callOffAll(signal.reason)
  }
  const force = () => endTree(pid, mark)
  readOutput(child, job.notes)
  const ending = untilItEnds(child, mark, options, job, transfers, send)
  signal.addEventListener('abort', ask)
  job.force.addEventListener('abort', force)
  if (signal.aborted) ask()
  if (job.force.aborted) force()
  try {
    return await outcomeOf(await ending, transfers, signal, options.workingFolder)
  } finally {
    signal.removeEventListener('abort', ask)
    job.force.removeEventListener('abort', force)
    transfers.callOffAll(new HandlerEndedError())
    endTree(pid, mark)
    await transfers.settled()
    await readToItsEnd(child, closed)
  }
}

/** Something that has left the run behind may still hold its output open. */
async function readToItsEnd(child: ChildProcess, closed: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([closed, sleep(OUTPUT_MS, over.signal)])
  over.abort()
  for (const stream of child.stdio) stream?.destroy()
}

function readOutput(child: ChildProcess, { output }: RunNotes): void {
  for (const [stream, name] of [
    [child.stdout, 'out'],
    [child.stderr, 'err'],
  ] as const) {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => output(name, text))
  }
  // A connection that breaks is seen as the child's end.
  for (const stream of child.stdio) stream?.on('error', () => undefined)
}

function untilItEnds(
  child: ChildProcess,
  mark: string,
  options: ChildProcessOptions,
  job: Job,
  transfers: ServedTransfers,
  send: (message: ToChild) => void,
): Promise<Ending> {
  return new Promise((resolve) => {
    const begin = async () => {
      const record = recordOf(child.pid as number, mark)
      if (record !== undefined) await job.notes.process(record)
      send(jobFor(options, job))
    }
    child.on('message', (message: ToSupervisor) => {
      if (message.kind === 'ready') begin().catch((error) => resolve({ kind: 'failed', error }))
      else if (message.kind === 'end') resolve({ kind: 'said', outcome: message.outcome })
      else hear(message, job.notes, transfers)
    })
    child.on('error', () => undefined)
    child.on('exit', (code, signal) => resolve({ kind: 'exited', code, signal }))
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve({ kind: 'exited', code: child.exitCode, signal: child.signalCode })
    }
  })
}

function jobFor({ module, workingFolder }: ChildProcessOptions, job: Job): ToChild {
  const { taskId, event, joined, folder, provenance } = job
  return {
    kind: 'job',
    taskId,
    event: event.text,
    joined: joined && { ...joined, events: textsOf(joined.events) },
    folder,
    provenance: provenance.map(({ key, value }) => ({ key, value })),
    module,
    workingFolder,
  }
}

function textsOf(events: JoinedJob['events']): Record<string, string> {
  return Object.fromEntries(Object.entries(events).map(([slot, { text }]) => [slot, text]))
}

function hear(
  message: Exclude<ToSupervisor, { readonly kind: 'ready' | 'end' }>,
  notes: RunNotes,
  transfers: ServedTransfers,
): void {
  if (message.kind === 'log') notes.log[message.level](message.message, message.fields)
  else if (message.kind === 'progress') notes.progress(message.progress)
  else if (message.kind === 'download') transfers.download(message)
  else if (message.kind === 'upload') transfers.upload(message)
  else transfers.callOff(message.transfer)
}

async function outcomeOf(
  ending: Ending,
  transfers: ServedTransfers,
  signal: AbortSignal,
  workingFolder: string,
): Promise<Outcome> {
  if (ending.kind === 'said') return ending.outcome
  if (ending.kind === 'failed') {
    return { kind: 'threw', failure: failureOf(ending.error, workingFolder) }
  }
  // All that was left to do is being done on this side: the child is not needed for it.
  const last = signal.aborted ? undefined : await transfers.lastUpload()
  if (last === undefined) return exitOutcome(ending)
  if ('result' in last) return { kind: 'done' }
  return { kind: 'threw', failure: failureOf(last.error, workingFolder), ...retryOf(last.error) }
}

/** Ended by a signal: the kernel (memory), somebody, or a crash in native code. It may go better another time. */
function exitOutcome({ code, signal }: Extract<Ending, { readonly kind: 'exited' }>): Outcome {
  if (signal !== null) {
    const value = `the handler's process was ended by ${signal}: by the system for want of memory, by somebody, or by a crash; see the task's log`
    return { kind: 'crashed', failure: { type: 'TaskProcessKilledError', value, traceback: '' } }
  }
  const value = `the handler's process ended itself with exit code ${code} before the handler was through; see the task's log`
  return { kind: 'threw', failure: { type: 'TaskProcessExitError', value, traceback: '' } }
}
