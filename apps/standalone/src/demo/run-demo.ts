/** Runs the demo: both services in a data folder of their own, one event all the way, a line for each step. */
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLifetime, createLog } from '@pacifica/platform'
import { type Environment, localFolders } from '../config.ts'
import type { Sample } from './journey.ts'
import { startDemoSite } from './site.ts'
import { walk } from './walk.ts'

export interface DemoOptions {
  /** Settings of the services, over the demo's own: DISPATCHER_MODULE, DATABASE_URL, … but not where Pacifica is. */
  readonly env: Environment
  readonly sample: Sample
  /** Where the demo's data folder is made; default: where the system keeps temporary files. */
  readonly tmpdir?: string
  /** How long each step may take, in milliseconds. */
  readonly withinMs: number
  readonly print: (line: string) => void
}

/** Resolves to the name of the step that failed; undefined when all went well. */
export async function runDemo(options: DemoOptions): Promise<string | undefined> {
  const { env, sample, print } = options
  const folder = await mkdtemp(join(options.tmpdir ?? tmpdir(), 'pacifica-demo-'))
  const logPath = join(folder, 'log')
  const log = createLog({
    name: 'pacifica',
    level: 'info',
    destination: createWriteStream(logPath),
  })
  const life = createLifetime({ log }, { graceMs: 10_000 })
  print(`A data folder of its own: ${folder}`)
  let failed: string | undefined
  try {
    const site = await startDemoSite(life, { log }, { env, sample: sample.folder, folder })
    failed = await walk(site, options)
  } catch (error) {
    print(`started      FAILED: ${error instanceof Error ? error.message : error}`)
    failed = 'started'
  } finally {
    await life.stop('the demo is over')
  }
  if (failed !== undefined) {
    print(`The log of both services: ${logPath}`)
    return failed
  }
  for (const part of ['notifications', 'dispatcher', 'log'])
    await rm(join(folder, part), { recursive: true, force: true })
  print(`\nOne event all the way. The bundle is in ${localFolders(folder).bundles}`)
  return undefined
}
