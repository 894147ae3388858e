/** One model, in a Python process of its own. What it writes to stdout and stderr is part of the result. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Workspace } from '@pacifica/core'
import { ModelFailedError } from './errors.ts'

export interface Run {
  readonly inputFolder: string
  /** The working folder. */
  readonly folder: string
  readonly output: Workspace
  /** Paths of the three INI files. */
  readonly configurations: readonly string[]
  readonly signal: AbortSignal
}

const PYTHON = 'python3'
const RUNNER = fileURLToPath(new URL('../run_model.py', import.meta.url))
/** Of stderr, in the error's message. */
const SHOWN_BYTES = 2_000

/** Throws `ModelFailedError`, or the signal's reason. */
export async function runModel(model: string, run: Run): Promise<void> {
  const stdout = await open(await run.output.inside('stdout.log'), 'a')
  const stderr = await open(await run.output.inside('stderr.log'), 'a+')
  try {
    const { size } = await stderr.stat()
    const how = await endOfPython(model, run, [stdout.fd, stderr.fd])
    if (how === 'exit code 0') return
    const said = (await textFrom(stderr, size)).trim()
    throw new ModelFailedError(model, said === '' ? how : `${how}; ${said}`)
  } finally {
    await stdout.close()
    await stderr.close()
  }
}

async function endOfPython(
  model: string,
  { inputFolder, folder, configurations, signal }: Run,
  [stdout, stderr]: readonly [number, number],
): Promise<string> {
  try {
    const path = join(inputFolder, 'data', model)
    // -B: no __pycache__ beside the model, which may lie in an archive.
    const python = spawn(PYTHON, ['-B', RUNNER, path, ...configurations], {
      cwd: folder,
      stdio: ['ignore', stdout, stderr],
      signal,
      killSignal: 'SIGKILL',
    })
    const [exitCode, killedBy] = await once(python, 'close')
    return exitCode === null ? `ended by ${killedBy}` : `exit code ${exitCode}`
  } catch (cause) {
    signal.throwIfAborted()
    throw new ModelFailedError(model, (cause as Error).message, { cause })
  }
}

/** The end of what has been written since. */
async function textFrom(file: FileHandle, since: number): Promise<string> {
  const { size } = await file.stat()
  const position = Math.max(since, size - SHOWN_BYTES)
  const { buffer } = await file.read({ buffer: Buffer.alloc(size - position), position })
  return buffer.toString()
}
