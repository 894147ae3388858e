/** What a run is told on its command line. */
import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** The rows to run, in this order. */
  readonly names: readonly string[]
  readonly rounds: number
  /** Small sizes, to see that it works. */
  readonly quick: boolean
  /** Whether docs/benchmarks.md and its plot are written anew. */
  readonly write: boolean
}

export const USAGE = `npm run bench -- [ROW …] [--rounds 3] [--quick] [--write]
  --rounds N   how often each thing is measured
  --quick      small sizes, to see that it works; the figures say nothing
  --write      writes docs/benchmarks.md and docs/benchmarks/matching.svg: of all rows, not quick`

export class OptionError extends Error {
  readonly code = 'OPTION'
}

export function readOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args)
  const rounds = Number(values.rounds ?? 3)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new OptionError(`--rounds is a whole number, at least 1, not ${values.rounds}`)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new OptionError(`no such row: ${unknown.join(', ')}. There are: ${known.join(', ')}`)
  const { quick = false, write = false } = values
  if (write && (quick || positionals.length > 0))
    throw new OptionError('--write needs all rows at their full size: no names and no --quick')
  return { names: positionals.length > 0 ? positionals : known, rounds, quick, write }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error })
  }
}
