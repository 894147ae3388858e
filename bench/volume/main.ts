/**
 * `npm run bench:volume [events]`: how both services' tables behave when there is much in them, on a private PostgreSQL
 * that syncs, with the settings that it is installed with. Prints; proves nothing by itself.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { startPostgres } from '../../test/harness/index.ts'
import { readOptions, VolumeOptionError } from './options.ts'
import { runVolume } from './run.ts'
import { reopen } from './site.ts'
import { bytes } from './sizes.ts'

try {
  await main(process.argv.slice(3))
} catch (error) {
  if (!(error instanceof VolumeOptionError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(0).padStart(4)
  const print = (line: string) => console.error(`${seconds()} s  ${line}`)
  const postgres = await startPostgres({ durable: true, own: true })
  try {
    const report = await runVolume({ postgres, print }, options)
    const server = await reopen(postgres.url)
    const [row] = await server.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    )
    await server.close()
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${bytes(totalmem())}, Linux ${release()}, Node ${process.version}, PostgreSQL ${row?.version ?? ''}`
    const head = `${new Date().toISOString().slice(0, 10)}, \`npm run bench:volume -- ${args.join(' ')}\`, ${seconds().trim()} s in all, on ${machine}.\n\n`
    console.log(head + report)
    if (options.output !== undefined) await writeFile(options.output, head + report)
  } finally {
    await postgres.stop()
  }
}
