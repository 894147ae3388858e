/** A cart's tar, streamed to the disk: each file hashed on the way, and kept only if it is what the event says. */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import type { Watch } from '../transfer/deadline.ts'
import { type CartMembers, cartMembers } from './cart-members.ts'
import { CartBrokenError, DownloadTooLargeError, type UnavailableFile } from './errors.ts'
import type { Incoming, Received } from './incoming.ts'
import type { PlacedFile, WantedFile } from './wanted-files.ts'

export interface ReceivingNeeds {
  /** What is still wanted, by path. A file that has come and is right is taken out. */
  readonly wanted: Map<string, PlacedFile>
  readonly incoming: Incoming
  readonly watch: Watch
  /** Counts the files' own bytes, before they are written; may throw. */
  readonly onBytes: (bytes: number) => void
  /** Told the size of each file that is kept. */
  readonly onKept: (bytes: number) => void
  /** The whole tar may have no more bytes than this. */
  readonly maxTarBytes: number
}

/**
 * Resolves with what is wrong with the files. Throws `CartMemberError` for what must not be unpacked, `CartBrokenError`
 * when the tar ends too soon or is no tar, `DownloadTooLargeError` when it will not end.
 */
export async function receiveCart(
  tar: Readable,
  needs: ReceivingNeeds,
): Promise<UnavailableFile[]> {
  const archive = extract()
  const state: State = { bytes: 0, tail: Buffer.alloc(0), file: undefined, problems: [] }
  const passing = (chunks: AsyncIterable<Buffer>) => counted(chunks, needs, state)
  const feeding = errorOf(pipeline(tar, passing, archive))
  const mine = await errorOf(readMembers(archive, needs, state))
  const theirs = await feeding
  needs.watch.signal.throwIfAborted()
  if (mine !== undefined && !(mine instanceof TarEnded)) throw mine
  if (theirs instanceof DownloadTooLargeError && state.problems.length === 0) throw theirs
  if (theirs instanceof DownloadTooLargeError) return state.problems
  const cause = theirs ?? mine ?? endMissing(state)
  if (cause !== undefined) throw broken(state, cause)
  return [...state.problems, ...missing(needs.wanted, state.problems)]
}

interface State {
  bytes: number
  /** The last bytes that came. */
  tail: Buffer
  /** What is being written. */
  file: string | undefined
  readonly problems: UnavailableFile[]
}

/** The tar's bytes ended or are none: not the fault of whoever reads the members. */
class TarEnded extends Error {}

/** What the work rejected with. */
async function errorOf(work: Promise<unknown>): Promise<Error | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  { watch, maxTarBytes }: ReceivingNeeds,
  state: State,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    watch.moved()
    state.bytes += chunk.length
    if (state.bytes > maxTarBytes) {
      throw new DownloadTooLargeError(state.bytes, maxTarBytes, "the cart's tar has at least")
    }
    state.tail = Buffer.concat([state.tail, chunk.subarray(-END_MARK)]).subarray(-END_MARK)
    yield chunk
  }
}

/** A tar ends with two blocks of zeros; without them it may have been cut off between two files. */
const END_MARK = 1024

function endMissing({ tail }: State): Error | undefined {
  const there = tail.length === END_MARK && tail.every((byte) => byte === 0)
  return there ? undefined : new Error('its end mark is missing')
}

async function readMembers(
  archive: AsyncIterable<Entry>,
  needs: ReceivingNeeds,
  state: State,
): Promise<void> {
  const members = cartMembers()
  for await (const entry of untilItEnds(archive)) {
    await takeMember(entry, members, needs, state)
  }
}

/** tar-stream's Source is a stream of streamx, whose types know nothing of its chunks. */
interface Entry {
  readonly header: Header
  resume(): unknown
}

async function takeMember(
  entry: Entry,
  members: CartMembers,
  needs: ReceivingNeeds,
  state: State,
): Promise<void> {
  const { wanted, incoming, onBytes } = needs
  const path = members.pathOf(entry.header)
  if (path === undefined) return
  const file = wanted.get(path)
  const problem = file ? wrongSize(file, entry.header.size) : extra(path)
  if (file === undefined || problem !== undefined) {
    if (problem) state.problems.push(problem)
    entry.resume()
    return
  }
  state.file = path
  const chunks = untilItEnds(entry as unknown as AsyncIterable<Buffer>)
  const received = await incoming.receive(chunks, file.hashtype, onBytes)
  state.file = undefined
  await judge(file, received, needs, state)
}

async function judge(
  file: PlacedFile,
  received: Received,
  { wanted, incoming, onKept }: ReceivingNeeds,
  { problems }: State,
): Promise<void> {
  if (received.hashsum === file.hashsum) {
    await incoming.keep(received, file)
    wanted.delete(file.path)
    onKept(received.bytes)
    return
  }
  const { hashtype, hashsum, path } = file
  const reason = `its ${hashtype} is ${received.hashsum}, the event says ${hashsum}`
  problems.push({ path, reason, code: 'FILES_ALTERED' })
  await incoming.drop(received)
}

function wrongSize({ path, size }: WantedFile, found: number): UnavailableFile | undefined {
  if (size === undefined || size === found) return undefined
  const code = found < size ? 'FILES_TRUNCATED' : 'FILES_ALTERED'
  return { path, reason: `it has ${found} bytes, the event says ${size}`, code }
}

function extra(path: string): UnavailableFile {
  return { path, reason: 'it is in the cart and was not ordered', code: 'FILES_EXTRA' }
}

function missing(
  wanted: ReadonlyMap<string, WantedFile>,
  problems: readonly UnavailableFile[],
): UnavailableFile[] {
  const named = new Set(problems.map(({ path }) => path))
  return [...wanted.keys()]
    .filter((path) => !named.has(path))
    .map((path) => ({ path, reason: 'it is not in the cart', code: 'FILES_MISSING' }))
}

function broken({ bytes, file, problems }: State, cause: Error): CartBrokenError {
  const where = file === undefined ? '' : `, in the middle of ${file}`
  const also = problems.map(({ path, reason }) => `; ${path}: ${reason}`).slice(0, 5)
  return new CartBrokenError(bytes, where, cause, also.join(''))
}

async function* untilItEnds<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (cause) {
    throw new TarEnded('the tar ended', { cause })
  }
}
