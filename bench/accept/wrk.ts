/** Posts events, each another one, as fast as they are answered. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { wrkProgram } from '../../test/harness/wrk-program.ts'

const SCRIPT = join(import.meta.dirname, 'post-events.lua')

export interface Posting {
  /** What is posted: a file with an event whose id holds a mark (`event.ts`). */
  readonly eventFile: string
  /** Up to 99 999; another number, other events. */
  readonly run: number
  readonly connections: number
  readonly seconds: number
}

export interface Posted {
  readonly seconds: number
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Rejects when a request was not answered with 2xx: such a figure would say nothing. */
export async function postEvents(url: string, posting: Posting): Promise<Posted> {
  const { eventFile, run, connections, seconds } = posting
  const load = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s']
  const words = [...load, '-s', SCRIPT, `${url}/receive`, '--', eventFile, String(run)]
  const { stdout } = await promisify(execFile)(wrkProgram(), words)
  const result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  if (result.refused > 0 || result.broken > 0)
    throw new Error(
      `of ${result.requests} events ${result.refused} were refused, ${result.broken} broke off`,
    )
  return result
}
