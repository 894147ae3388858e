/** A use of the tables that is measured: what people and workers ask of them, done by the code's own functions. */
import type { Database } from '@pacifica/platform'
import { type Ports, record, type Statement } from './recorder.ts'

export interface Case {
  /** `GET /events: state=exhausted, as an admin`. */
  readonly name: string
  readonly run: (ports: Ports) => Promise<unknown>
}

export interface Measured {
  readonly name: string
  /** The same twice: what the first finds in no memory, the second does. */
  readonly first: readonly Statement[]
  readonly again: readonly Statement[]
}

export async function measure(
  database: Database,
  cases: readonly Case[],
  print: (line: string) => void,
): Promise<Measured[]> {
  const measured: Measured[] = []
  for (const { name, run } of cases) {
    try {
      const first = await record(database, run)
      measured.push({ name, first, again: await record(database, run) })
    } catch (cause) {
      throw new Error(
        `the case '${name}' failed: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      )
    }
    const slow = measured.at(-1)?.again.flatMap(({ figures }) => figures.flags) ?? []
    if (slow.length > 0) print(`${name}: ${slow.join('; ')}`)
  }
  return measured
}

/** Lets one batch happen: it is looked at before each. */
export function afterOne(): AbortSignal {
  let asked = 0
  return {
    get aborted() {
      asked += 1
      return asked > 1
    },
  } as AbortSignal
}
