/**
 * A simulated Pacifica on loopback: Cartd and Ingest over one archive, Metadata, and Policy. What is uploaded to Ingest
 * becomes a transaction, notifications are told of it, and its files can be fetched from Cartd: as on a site.
 */

import { type ArchivedFile, type SimulatedCartd, startCartd } from './cartd.ts'
import type { CartFaults } from './cartd-tar.ts'
import { type SimulatedIngest, startIngest } from './ingest.ts'
import type { IngestFaults } from './ingest-faults.ts'
import { type MetadataFaults, type SimulatedMetadata, startMetadata } from './metadata.ts'
import { type PolicyServer, startPolicy } from './policy.ts'

/** How each service fails from now on; may be changed at any time. */
export interface PacificaFaults {
  cartd: CartFaults
  ingest: IngestFaults
  metadata: MetadataFaults
}

export interface SimulatedPacifica {
  readonly cartd: SimulatedCartd
  readonly ingest: SimulatedIngest
  readonly metadata: SimulatedMetadata
  readonly policy: PolicyServer
  readonly faults: PacificaFaults
  close(): Promise<void>
}

export interface PacificaOptions {
  /** What the archive holds at the start. */
  readonly files?: readonly ArchivedFile[]
  /** The numbers of the next transaction and the next file; 1 unless given. */
  readonly nextTransaction?: number
  readonly nextFile?: number
  /** An existing folder in which Ingest keeps every bundle as it came. */
  readonly keepIn?: string
}

export async function startPacifica(options: PacificaOptions = {}): Promise<SimulatedPacifica> {
  const { files = [], nextTransaction = 1, nextFile = 1 } = options
  const faults: PacificaFaults = { cartd: {}, ingest: {}, metadata: {} }
  const archive = [...files]
  const metadata = await startMetadata({ faults: () => faults.metadata })
  const registry = { archive, metadata: metadata.url, nextTransaction, nextFile }
  const ingest = await startIngest({
    faults: () => faults.ingest,
    registry,
    ...(options.keepIn === undefined ? {} : { keepIn: options.keepIn }),
  })
  const cartd = await startCartd(archive, { faults: () => faults.cartd })
  const policy = await startPolicy()
  return {
    cartd,
    ingest,
    metadata,
    policy,
    faults,
    async close() {
      for (const service of [ingest, metadata, cartd, policy]) await service.close()
    },
  }
}
