/** One row, in a process of its own that the runner has forked: NAME ROUNDS quick|full. Ends with the runner. */
import { join } from 'node:path'
import type { FromRow, Result } from './outcome.ts'
import type { Row } from './row.ts'

const [name = '', rounds = '1', size = 'full'] = process.argv.slice(3)

/** `exit` also ends the services that were started; servers have guards, which notice that this process is gone. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.once('disconnect', () => process.exit(0))

function tell(message: FromRow): void {
  process.send?.(message)
}

async function run(): Promise<Result> {
  try {
    const { row } = (await import(join(import.meta.dirname, 'rows', `${name}.ts`))) as { row: Row }
    if (row.name !== name) throw new Error(`rows/${name}.ts exports a row called '${row.name}'`)
    tell({ kind: 'begun', what: row.what })
    const print = (line: string) => tell({ kind: 'said', line })
    const measured = await row.run({ rounds: Number(rounds), quick: size === 'quick', print })
    return { kind: 'measured', measured }
  } catch (error) {
    console.error(error)
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

tell(await run())
