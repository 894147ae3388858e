/** The dispatcher service, composed as its own process composes it, inside a test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dispatcherSettings, startDispatcher } from '@pacifica/dispatcher'
import { createLifetime, createLog, readConfig, type Transport } from '@pacifica/platform'

export interface RunningDispatcher {
  readonly url: string
  /** Where `dispatch://<name>` leads. */
  readonly name: string
  /** The oldest first, as GET /get/ID shows them. */
  tasks(): Promise<ShownTask[]>
  stop(): Promise<void>
}

export interface ShownTask {
  readonly taskID: string
  readonly taskStatus: string
  readonly eventID: string
  readonly exceptionType: string | null
  readonly exceptionValue: string | null
  /** How often it was begun. */
  readonly attempts: number
  readonly bundles: readonly { readonly bundle: string | null; readonly jobId: number | null }[]
}

/** @param transport brings the deliveries; closed by whoever made it */
export async function runDispatcher(
  transport: Transport,
  env: Readonly<Record<string, string>>,
): Promise<RunningDispatcher> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pacifica-dispatcher-'))
  const log = createLog({ name: 'test', level: 'silent' })
  const life = createLifetime({ log }, { graceMs: 10_000 })
  const config = readConfig(dispatcherSettings, {
    env: { DATA_DIR: dataDir, DISPATCHER_PORT: '0', ...env },
  })
  const { url, name } = await startDispatcher(life, { log, transport }, config)
  return {
    url,
    name,
    async tasks() {
      const list = await getJson<{ taskID: string }[]>(`${url}/`)
      const tasks = list.map(({ taskID }) => getJson<ShownTask>(`${url}/get/${taskID}`))
      return (await Promise.all(tasks)).reverse()
    },
    async stop() {
      await life.stop('the test is over')
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function getJson<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T
}
