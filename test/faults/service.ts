/** One of the services under test: a process that is killed and started again, with all that it ever logged. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { waitUntil } from './wait-until.ts'

const ROOT = join(import.meta.dirname, '../..')

export interface Service {
  readonly name: string
  /** What kills and restarts made of it: `worker` has deliveries in flight. */
  readonly kind: 'api' | 'worker' | 'dispatcher'
  readonly starts: number
  /** Peak of its resident memory over all its lives, in MiB; undefined where it cannot be seen. */
  readonly peakMiB: number | undefined
  /** It ended although nobody told it to. */
  readonly diedAlone: readonly string[]
  /** Resolves when it says that it has started. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Stands still, as a machine that swaps does, until the answer is called. */
  freeze(): () => void
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  look(): void
  log(): string
}

export interface ServiceOptions {
  readonly name: string
  readonly kind: Service['kind']
  /** From the root, such as `apps/dispatcher/dist/main.js`. */
  readonly entry: string
  readonly env: Readonly<Record<string, string>>
  /** Guarded: see harness/guard.ts. */
  readonly folder: string
}

const STARTED = /"msg":"(service|dispatcher)\.started"/

export function service(options: ServiceOptions): Service {
  const { name, kind, folder } = options
  const logFile = join(folder, `${name}.log`)
  let child: ChildProcess | undefined
  let ended: Promise<number | null> = Promise.resolve(null)
  let starts = 0
  let peakMiB: number | undefined
  const diedAlone: string[] = []

  function look() {
    const now = child === undefined ? undefined : residentPeak(child.pid)
    if (now !== undefined) peakMiB = Math.max(peakMiB ?? 0, now)
  }

  function launch(): ChildProcess {
    const output = openSync(logFile, 'a')
    const begun = spawn(process.execPath, [join(ROOT, options.entry)], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...options.env },
      detached: true,
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    writeFileSync(join(folder, `${name}.pid`), `${begun.pid}\n`)
    begun.once('exit', (code, signal) => {
      if (child === begun) diedAlone.push(`${name} ended by itself: ${code ?? signal}`)
    })
    return begun
  }

  function signal(how: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    look()
    const running = child
    child = undefined
    running?.kill(how)
    return ended
  }

  return {
    ...{ name, kind, diedAlone, look },
    get starts() {
      return starts
    },
    get peakMiB() {
      return peakMiB
    },
    async start() {
      const before = existsSync(logFile) ? statSync(logFile).size : 0
      const begun = launch()
      child = begun
      ended = once(begun, 'exit').then(([code]) => code as number | null)
      starts += 1
      await waitUntil(`${name} has started`, async () => {
        if (child !== begun) throw new Error(`${name} is not there any more`)
        const said = await textFrom(logFile, before)
        if (!STARTED.test(said)) throw new Error(`${name} said so far:\n${said.slice(-3_000)}`)
        return true
      })
    },
    async kill() {
      await signal('SIGKILL')
    },
    freeze() {
      const frozen = child
      frozen?.kill('SIGSTOP')
      return () => void frozen?.kill('SIGCONT')
    },
    stop: () => signal('SIGTERM'),
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'latin1') : ''),
  }
}

/** Logs grow to many megabytes, and this process is the targets too: only what is new is read. */
async function textFrom(file: string, start: number): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const bytes = Buffer.alloc(Math.max(0, size - start))
    await handle.read(bytes, 0, bytes.length, start)
    return bytes.toString('latin1')
  } finally {
    await handle.close()
  }
}

/** Linux keeps the peak ("high water mark") of each process. */
function residentPeak(pid: number | undefined): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const kiB = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    return kiB === undefined ? undefined : Math.round(Number(kiB) / 1024)
  } catch {
    return undefined
  }
}
