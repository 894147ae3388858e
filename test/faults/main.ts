/** `npm run faults -- --events 10000 --seed 7`: a long run. Exits with 1 when the ledger does not balance. */
import { OptionError, readOptions, USAGE } from './options.ts'
import { reportOf } from './report.ts'
import { runFaults } from './run.ts'

/** What was started is ended by its guards, which notice that this process is gone. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  const run = await runFaults(readOptions(process.argv.slice(3)), console.log)
  console.log(reportOf(run))
  process.exitCode = run.wrong.length === 0 ? 0 : 1
} catch (error) {
  const isUsage =
    error instanceof OptionError ||
    String(Reflect.get(Object(error), 'code')).startsWith('ERR_PARSE_ARGS')
  console.error(isUsage ? `${(error as Error).message}\n${USAGE}` : error)
  process.exitCode = 2
}
