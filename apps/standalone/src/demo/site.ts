/** What the demo runs on: a simulated Pacifica on loopback, and both services, which know it by its URLs alone. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lifetime, Log } from '@pacifica/platform'
import { type Environment, localFolders, readStandaloneConfig } from '../config.ts'
import type { ArchivedFile } from '../pacifica/cartd.ts'
import { type SimulatedPacifica, startPacifica } from '../pacifica/start.ts'
import { type Standalone, startStandalone } from '../start.ts'

export interface DemoSite {
  readonly running: Standalone
  readonly pacifica: SimulatedPacifica
}

export interface DemoSiteOptions {
  /** Settings of the services, over the demo's own: DISPATCHER_MODULE, DATABASE_URL, … but not where Pacifica is. */
  readonly env: Environment
  /** Holds event.json, and the event's files below data/. */
  readonly sample: string
  /** Where both services keep their data, and Ingest its bundles. */
  readonly folder: string
}

/** The transaction and the files that the sample's event tells of are the newest that Pacifica has. */
export async function startDemoSite(
  life: Lifetime,
  needs: { readonly log: Log },
  { env, sample, folder }: DemoSiteOptions,
): Promise<DemoSite> {
  const { bundles } = localFolders(folder)
  await mkdir(bundles, { recursive: true })
  const archive = await readArchive(sample)
  const pacifica = await startPacifica({ ...archive, keepIn: bundles })
  life.onClose('the simulated Pacifica', () => pacifica.close())
  const config = readStandaloneConfig({
    NOTIFICATIONS_PORT: '0',
    DISPATCHER_PORT: '0',
    ...env,
    DATA_DIR: folder,
    CARTD_URL: pacifica.cartd.url,
    INGEST_URL: pacifica.ingest.url,
    INGEST_STATUS_URL: undefined,
    POLICY_URL: pacifica.policy.url,
  })
  const running = await startStandalone(life, needs, config)
  pacifica.metadata.notify(`${running.notificationsUrl}/receive`)
  return { running, pacifica }
}

interface Entry {
  readonly destinationTable: string
  readonly value?: unknown
  readonly _id?: number
  readonly name?: string
  readonly subdir?: string
}

async function readArchive(sample: string) {
  const event = JSON.parse(await readFile(join(sample, 'event.json'), 'utf8'))
  const entries: readonly Entry[] = event.data
  const files: ArchivedFile[] = []
  for (const { destinationTable, _id = 0, name = '', subdir = '' } of entries) {
    if (destinationTable !== 'Files') continue
    const path = subdir === '' ? name : `${subdir}/${name}`
    files.push({ id: _id, path, content: await readFile(join(sample, 'data', path)) })
  }
  const transaction = entries.find((entry) => entry.destinationTable === 'Transactions._id')
  return {
    files,
    nextTransaction: Number(transaction?.value) + 1,
    nextFile: Math.max(...files.map(({ id }) => Number(id))) + 1,
  }
}
