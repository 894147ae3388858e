/**
 * Takes in what was spooled, in order of arrival, many files with one statement. A file goes only after its events are
 * committed; what cannot be stored is set aside with the reason, and holds up nothing else.
 */
import { type Bell, isUnavailable, type Log, sqlState } from '@pacifica/platform'
import type { Availability } from '../../database/availability.ts'
import type { EventStore } from '../event-store.ts'
import type { AcceptMetrics } from '../metrics.ts'
import { tellCollision } from '../tell.ts'
import type { SpoolFile, SpoolFolder } from './folder.ts'
import { type Arrival, decodeRecords, encodeRecord } from './record.ts'
import type { Spool } from './spool.ts'

export interface TakeInNeeds {
  readonly spool: Pick<Spool, 'nextFolder' | 'adopt'>
  readonly store: EventStore
  readonly availability: Availability
  readonly matchBell: Bell
  readonly metrics: AcceptMetrics
  readonly log: Log
}

export interface TakeInOptions {
  /** One statement takes no more, but for a file that is larger by itself. */
  readonly maxBytes: number
  readonly maxFiles: number
}

/** One step of the loop: as many files as one statement may hold. */
export function takeInStep(needs: TakeInNeeds, options: TakeInOptions): () => Promise<boolean> {
  return async () => {
    if (needs.availability.away) return false
    let folder = needs.spool.nextFolder()
    if (folder === undefined) {
      needs.spool.adopt()
      folder = needs.spool.nextFolder()
    }
    if (folder === undefined) return false
    const files = firstFiles(folder, options)
    try {
      await takeIn(needs, folder, files)
    } catch (error) {
      if (isUnavailable(error)) needs.availability.lost(error)
      throw error
    }
    return true
  }
}

function firstFiles(folder: SpoolFolder, { maxBytes, maxFiles }: TakeInOptions): SpoolFile[] {
  const files: SpoolFile[] = []
  let bytes = 0
  for (const file of folder.files()) {
    bytes += file.bytes
    if (files.length === maxFiles || (files.length > 0 && bytes > maxBytes)) break
    files.push(file)
  }
  return files
}

/** An event, and the file that it came in. */
interface Spooled extends Arrival {
  readonly file: SpoolFile
}

async function takeIn(
  needs: TakeInNeeds,
  folder: SpoolFolder,
  files: readonly SpoolFile[],
): Promise<void> {
  const aside = putter(needs, folder)
  const spooled: Spooled[] = []
  for (const file of files) {
    const { arrivals, bad } = decodeRecords(await folder.read(file))
    spooled.push(...arrivals.map((arrival) => ({ ...arrival, file })))
    for (const { bytes, reason } of bad) await aside(file, bytes, reason)
  }
  await storeAll(needs, spooled, aside)
  needs.matchBell.ring()
  for (const file of files) await folder.remove(file)
}

type PutAside = (file: SpoolFile, content: Buffer, reason: string) => Promise<void>

function putter({ log, metrics }: TakeInNeeds, folder: SpoolFolder): PutAside {
  const parts = new Map<string, number>()
  return async (file, content, reason) => {
    const part = (parts.get(file.name) ?? 0) + 1
    parts.set(file.name, part)
    const path = await folder.keepAside(file, part, content, reason)
    metrics.setAside.inc()
    log.error({ path, reason }, 'spool.set_aside')
  }
}

/** Together; should that fail through one of them, one by one. */
async function storeAll(
  needs: TakeInNeeds,
  spooled: readonly Spooled[],
  aside: PutAside,
): Promise<void> {
  try {
    await store(needs, spooled)
  } catch (error) {
    if (isDatabaseTrouble(error)) throw error
    for (const one of spooled) await storeOne(needs, one, aside)
  }
}

async function storeOne(needs: TakeInNeeds, one: Spooled, aside: PutAside): Promise<void> {
  try {
    await store(needs, [one])
  } catch (error) {
    if (isDatabaseTrouble(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    await aside(one.file, encodeRecord(one), `event ${one.uuid} cannot be stored: ${reason}`)
  }
}

/**
 * The database or its tables are not as they should be (no permission, no table, a lock, a full disk): no fault of the
 * event's, so it stays where it is. Anything else is.
 */
function isDatabaseTrouble(error: unknown): boolean {
  return isUnavailable(error) || /^(25|28|3D|3F|40|42|55|57)/.test(sqlState(error) ?? '')
}

async function store(needs: TakeInNeeds, spooled: readonly Spooled[]): Promise<void> {
  if (spooled.length === 0) return
  const [events, uuids] = [spooled.map(({ event }) => event), spooled.map(({ uuid }) => uuid)]
  const traces = spooled.map(({ trace }) => trace)
  const stored = await needs.store.insert(events, uuids, traces)
  const aliases = stored.map(({ uuid }, index) => ({ uuid: uuids[index] ?? uuid, event: uuid }))
  await needs.store.alias(aliases.filter(({ uuid, event }) => uuid !== event))
  needs.availability.working()
  for (const [index, accepted] of stored.entries()) {
    const { event, uuid: spooledAs, received } = spooled[index] as Spooled
    const isRepeat = accepted.uuid !== spooledAs
    needs.metrics.takenIn.inc({ outcome: isRepeat ? 'repeated' : 'stored' })
    const line = { event: accepted.uuid, received, ...(isRepeat && { spooledAs }) }
    needs.log.info(line, 'event.taken_in')
    tellCollision(needs, event, accepted)
  }
}
