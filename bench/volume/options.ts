/** `npm run bench:volume -- 200000 --only 'GET /events' --output report.md` */
import { parseArgs } from 'node:util'

export interface VolumeOptions {
  readonly events: number
  /** Only cases whose name says so; then nothing is purged. */
  readonly only: RegExp | undefined
  /** A file that the report is written to, besides being printed. */
  readonly output: string | undefined
}

export class VolumeOptionError extends Error {
  readonly code = 'VOLUME_OPTION'
}

export function readOptions(args: readonly string[]): VolumeOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, output: { type: 'string' } },
    allowPositionals: true,
  })
  const events = Number(positionals[0] ?? 1_000_000)
  if (positionals.length > 1 || !Number.isSafeInteger(events) || events < FEWEST)
    throw new VolumeOptionError(
      `say how many events, ${FEWEST} at least: npm run bench:volume -- 1000000`,
    )
  const only = values.only === undefined ? undefined : new RegExp(values.only)
  return { events, only, output: values.output }
}

/** With fewer, some of what is asked for is not there. */
const FEWEST = 1_000
