/**
 * One task from its claim to its outcome: event, scratch folder, handler, time limit. Whatever goes wrong on this way,
 * thrown by whomever and as whatever, becomes an outcome: a task always comes to an end.
 */
import { Event } from '@pacifica/core'
import { sleep } from '@pacifica/platform'
import type { Isolation, TransferNotes } from '../isolation/isolation.ts'
import { failureOf } from './failure.ts'
import { provenanceOf } from './provenance.ts'
import type { Scratch } from './scratch.ts'
import type { ClaimedTask, Held } from './store.ts'
import type { Outcome } from './task.ts'
import { LeaseLostError } from './worker.ts'

export interface RunTaskNeeds {
  readonly dispatcher: string
  readonly isolation: Isolation
  readonly scratch: Scratch
  /** Asks the database whether the claim is still the newest; waits for it while it is away. */
  readonly holds: (held: Held, signal: AbortSignal) => Promise<boolean>
  readonly notesOf: (held: Held) => TransferNotes
}

export interface RunTaskOptions {
  readonly timeoutMs: number
  /** How long a handler may take to end after it was told to. */
  readonly abortGraceMs: number
}

/** What the handler's signal is aborted with when the task's time is up. */
class TimeIsUp extends Error {
  readonly code = 'TASK_TIMEOUT'
  constructor() {
    super("the task's time is up")
  }
}

/** Never rejects. */
export async function runTask(
  needs: RunTaskNeeds,
  options: RunTaskOptions,
  task: ClaimedTask,
  signal: AbortSignal,
): Promise<Outcome> {
  const { dispatcher, isolation, scratch, holds, notesOf } = needs
  try {
    const event = Event.parse(task.event)
    const provenance = provenanceOf({ dispatcher, taskId: task.id, event })
    return await scratch.use(task, (folder) => {
      const job = { taskId: task.id, event, folder, provenance, notes: notesOf(task) }
      const run = (stop: AbortSignal) =>
        isolation.run({ ...job, holds: () => holds(task, stop) }, stop)
      return inTime(run, options, signal)
    })
  } catch (error) {
    return { kind: 'threw', failure: failureOf(error, process.cwd()) }
  }
}

/** Ends when the run ends, or `abortGraceMs` after it was told to: then a run that does not listen is left behind. */
async function inTime(
  run: (signal: AbortSignal) => Promise<Outcome>,
  { timeoutMs, abortGraceMs }: RunTaskOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const stop = new AbortController()
  const ended = new AbortController()
  const pass = () => stop.abort(signal.reason)
  const timer = setTimeout(() => stop.abort(new TimeIsUp()), timeoutMs)
  signal.addEventListener('abort', pass, { once: true })
  if (signal.aborted) pass()
  try {
    const left = leftBehind(stop.signal, abortGraceMs, ended.signal)
    return told(await Promise.race([run(stop.signal), left]), stop.signal, timeoutMs)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', pass)
    ended.abort()
  }
}

async function leftBehind(
  stop: AbortSignal,
  graceMs: number,
  ended: AbortSignal,
): Promise<Outcome> {
  await new Promise<void>((resolve) => {
    for (const signal of [stop, ended]) {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    }
  })
  if (!ended.aborted) await sleep(graceMs, ended)
  return { kind: 'unfinished' }
}

/** Ends that nobody's telling brought about. */
const ENDS: ReadonlySet<Outcome['kind']> = new Set(['done', 'unrouted', 'refused'])

/** What a run's end means, given who told it to end. A handler that came to its end in spite of that is done. */
function told(outcome: Outcome, stop: AbortSignal, limitMs: number): Outcome {
  if (stop.reason instanceof LeaseLostError) return { kind: 'lost' }
  if (ENDS.has(outcome.kind)) return outcome
  if (stop.reason instanceof TimeIsUp) return { kind: 'timed-out', limitMs }
  if (stop.aborted && outcome.kind === 'threw') return { kind: 'interrupted' }
  return outcome
}
