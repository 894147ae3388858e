/** The only place that listens to signals and ends the process. */
import type { Log } from '../telemetry/log.ts'
import { maskCredentials } from '../telemetry/redact.ts'
import { createLifetime, type Lifetime, type LifetimeControl } from './lifetime.ts'

/** What is used of `process`; tests pass their own. */
export type ProcessLike = Pick<NodeJS.Process, 'on' | 'off' | 'exit'> & {
  readonly stderr: { write(text: string): unknown }
}

export interface RunProcessOptions {
  /** How long work in hand may go on after the first signal. Default 25 000 (container runtimes kill after 30 s). */
  readonly graceMs?: number
  /**
   * Errors of the start that a person can put right: one line on stderr instead of a stack trace. Default: every
   * error with a `code`, Node's own `ERR_…` excepted: those that say in their message what is wrong and what to do.
   */
  readonly expected?: (error: unknown) => boolean
  readonly process?: ProcessLike
}

/** How long work in hand may go on after the first signal. */
export const STOP_MS = 25_000

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Starts, runs until a signal, closes, exits: 0 after a clean stop, else 1. A second signal or the end of the grace
 * period cuts the stop short, a third signal exits at once. Uncaught errors are logged and end the process with 1.
 */
export async function runProcess(
  needs: { log: Log },
  start: (life: Lifetime) => Promise<void>,
  options: RunProcessOptions = {},
): Promise<void> {
  const host: ProcessLike = options.process ?? process
  const life = createLifetime(needs, { graceMs: options.graceMs ?? STOP_MS })
  const started = Promise.resolve(life).then(start)
  const release = listen(host, needs.log, life, started)
  const ended = new Promise<void>((resolve) => {
    life.stopping.addEventListener('abort', () => resolve(), { once: true })
  })
  const failure = await Promise.race([started.then(() => ended), ended]).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  if (failure !== undefined) tell(host, needs.log, failure.error, options.expected ?? hasCode)
  const clean = await life.stop(failure === undefined ? 'asked to' : 'the start failed', {
    after: started,
  })
  release()
  host.exit(clean && failure === undefined ? 0 : 1)
}

function listen(
  host: ProcessLike,
  log: Log,
  life: LifetimeControl,
  started: Promise<void>,
): () => void {
  let signals = 0
  const onSignal = (signal: NodeJS.Signals) => {
    signals += 1
    if (signals === 1) void life.stop(signal, { after: started })
    else if (signals === 2) life.abandon(`second signal: ${signal}`)
    else host.exit(1)
  }
  const onError = (err: unknown) => {
    log.fatal({ err }, 'process.uncaught')
    life.abandon('an uncaught error')
  }
  for (const signal of SIGNALS) host.on(signal, onSignal)
  host.on('uncaughtException', onError)
  host.on('unhandledRejection', onError)
  return () => {
    for (const signal of SIGNALS) host.off(signal, onSignal)
    host.off('uncaughtException', onError)
    host.off('unhandledRejection', onError)
  }
}

function tell(
  host: ProcessLike,
  log: Log,
  error: unknown,
  expected: (e: unknown) => boolean,
): void {
  if (expected(error) && error instanceof Error) {
    host.stderr.write(`${maskCredentials(error.message)}\n`)
  } else {
    log.fatal({ err: error }, 'process.start_failed')
  }
}

function hasCode(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && !code.startsWith('ERR_')
}
