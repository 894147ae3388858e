/** A built service as a process of its own: started, asked whether it is ready, really killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

export interface ServiceProcess {
  readonly pid: number
  /** All that it wrote to standard output and error so far; in what order between the two is not known. */
  output(): string
  /** Resolves when every `readyUrl` answers 200; rejects with the output when the process ends before. */
  ready(urls: readonly string[], withinMs?: number): Promise<void>
  /** Resolves to the exit code, null when a signal ended it, once all that it wrote was read. */
  ended(): Promise<number | null>
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** `entry` from the root, such as `apps/standalone/dist/main.js`, or an absolute path; needs the build. */
export function startService(
  entry: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  options: {
    readonly cwd?: string
    /** For Node.js itself. */
    readonly nodeArgs?: readonly string[]
    /** A file for all that it writes: for benchmarks, which would else spend their time on reading it. */
    readonly outputTo?: string
  } = {},
): ServiceProcess {
  const { outputTo, nodeArgs = [] } = options
  const file = outputTo === undefined ? undefined : openSync(outputTo, 'a')
  const child = spawn(process.execPath, [...nodeArgs, resolve(ROOT, entry), ...args], {
    cwd: options.cwd ?? env['DATA_DIR'] ?? ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', file ?? 'pipe', file ?? 'pipe'],
  })
  if (file !== undefined) closeSync(file)
  const output =
    outputTo === undefined ? collect(child) : () => readFileSync(outputTo, 'utf8').slice(-20_000)

  const ended = once(child, 'close').then(([code]) => code as number | null)
  endWithThisProcess(child)
  return {
    pid: child.pid ?? 0,
    output,
    ended: () => ended,
    async ready(urls, withinMs = 120_000) {
      const until = performance.now() + withinMs
      while (!(await allReady(urls))) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`the service ended before it was ready:\n${output()}`)
        if (performance.now() > until) throw new Error(`not ready in ${withinMs} ms:\n${output()}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    kill(signal) {
      child.kill(signal)
      return ended
    },
  }
}

async function allReady(urls: readonly string[]): Promise<boolean> {
  const answers = urls.map((url) =>
    fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    ),
  )
  return (await Promise.all(answers)).every(Boolean)
}

function collect(child: ChildProcess): () => string {
  const pieces: Buffer[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => {
      pieces.push(piece)
      if (pieces.length > 2_000) pieces.splice(0, 1_000)
    })
  return () => Buffer.concat(pieces).toString('utf8').slice(-20_000)
}

function endWithThisProcess(child: ChildProcess): void {
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
}
