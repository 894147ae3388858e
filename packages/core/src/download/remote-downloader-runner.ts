/**
 * Takes files from Pacifica's Cartd: orders a cart, waits until it is ready, streams it to the disk, deletes it. Memory
 * does not grow with the files.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Workspace } from '../bundle/workspace.ts'
import type { File } from '../models/file.ts'
import { type Watch, withDeadline } from '../transfer/deadline.ts'
import { changedNothing, mayPass } from '../transfer/errors.ts'
import { DEFAULT_PAUSES, type Pauses, pause, pauseBefore } from '../transfer/pause.ts'
import { connectService, type ServiceOptions } from '../transfer/service.ts'
import { cartWhenReady } from './cart-when-ready.ts'
import { type CartdClient, cartdClient } from './cartd-client.ts'
import { DownloaderRunner, type DownloadOptions, type Opener } from './downloader-runner.ts'
import { CartBrokenError, unavailable } from './errors.ts'
import { type Incoming, isThere, openIncoming } from './incoming.ts'
import { receiveCart } from './receive-cart.ts'
import { createTally, type Tally } from './tally.ts'
import { bytesOf, type PlacedFile, plainPath, wantedFiles } from './wanted-files.ts'

/** How Cartd is asked, and how often a broken download is begun again. */
export interface RemoteDownloaderOptions extends ServiceOptions {
  /** Carts in a row that may break off without bringing one more file, before the download fails; 3 unless given. */
  readonly attempts?: number
  /** Between two questions whether the cart is ready, and between two carts. */
  readonly pauses?: Pauses
  /** Told of a cart that could not be deleted, and why. The download itself is not affected. */
  readonly onCartLeft?: (url: string, error: Error) => void
}

/** How long deleting the cart may keep the caller waiting. */
const DELETE_MS = 10_000
/** The same when the caller has called off: shorter than what a dispatcher gives a handler to end. */
const DELETE_WHEN_CALLED_OFF_MS = 1_500
/** What a tar may have beside the files' bytes: headers with long names, folders, padding. */
const TAR_BYTES_PER_FILE = 64 * 1024
const TAR_BYTES = 1024 * 1024

interface OneCart {
  readonly wanted: Map<string, PlacedFile>
  readonly incoming: Incoming
  readonly tally: Tally
  readonly watch: Watch
  readonly onCart: NonNullable<DownloadOptions['onCart']>
}

/** Why a cart did not bring all, and whether Cartd had taken the order. */
interface Broken {
  readonly error: Error
  readonly ordered: boolean
}

/** Takes files from Pacifica's Cartd. Memory does not grow with them. */
export class RemoteDownloaderRunner extends DownloaderRunner {
  readonly #cartd: CartdClient
  readonly #attempts: number
  readonly #pauses: Pauses
  readonly #onCartLeft: (url: string, error: Error) => void

  /**
   * @param url Cartd's, such as `http://cartd:8081`
   * @param options user and password, headers, tries
   */
  constructor(url: URL | string, options: RemoteDownloaderOptions = {}) {
    super()
    this.#cartd = cartdClient(connectService(new URL(url), options))
    this.#attempts = options.attempts ?? 3
    this.#pauses = options.pauses ?? DEFAULT_PAUSES
    this.#onCartLeft = options.onCartLeft ?? (() => undefined)
  }

  /**
   * Every file is checked against the event's size and hash while it comes. Files that lie in the folder already, from
   * an earlier try, are checked and not fetched again. When a cart breaks off, a new one takes the rest; and once a file
   * has come, a Cartd that is away is waited for, until the `timeout`.
   *
   * Throws `FilesMissingError`, `FilesExtraError`, `FilesTruncatedError`, `FilesAlteredError` (or their common
   * `FilesUnavailableError`), `CartFailedError`, `CartUnknownError`, `CartBrokenError`, `CartMemberError`,
   * `DownloadTooLargeError`, `FileNameTakenError`, `EventFieldError`, `WorkspaceEscapeError`,
   * `ServiceUnreachableError`, `ServiceAnswerError`, `TransferTimeoutError`, or the signal's reason.
   */
  override download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    const what = `downloading ${files.length} files from ${this.#cartd.url}`
    return withDeadline(what, options, async (watch) => {
      const workspace = new Workspace(folder)
      const placed = await placedFiles(workspace, files)
      const wanted = new Map(placed)
      const tally = createTally(bytesOf(wanted.values()), options)
      await skipWhatIsThere(wanted, tally, watch)
      if (wanted.size > 0) await this.#fetch(workspace, wanted, tally, options, watch)
      return files.map((file) => {
        const { place } = placed.get(plainPath(file.path)) as PlacedFile
        return () => createReadStream(place)
      })
    })
  }

  /**
   * Deletes a cart that an earlier process has left; one that is not there is deleted.
   * Throws `ServiceUnreachableError`, `ServiceAnswerError`, or the signal's reason.
   * @param id the uuid that `onCart` told
   * @param signal calls the request off
   */
  async removeCart(id: string, signal: AbortSignal): Promise<void> {
    await this.#cartd.remove(id, signal)
  }

  async #fetch(
    workspace: Workspace,
    wanted: Map<string, PlacedFile>,
    tally: Tally,
    options: DownloadOptions,
    watch: Watch,
  ): Promise<void> {
    const incoming = await openIncoming(workspace)
    const all = wanted.size
    const cart = { wanted, incoming, tally, watch, onCart: options.onCart ?? (() => undefined) }
    try {
      let [inVain, unheard] = [0, 0]
      while (wanted.size > 0) {
        const before = wanted.size
        const broken = await this.#oneCart(cart)
        if (broken === undefined) continue
        const { error, ordered } = broken
        // What has come is worth waiting for: a Cartd that is being restarted refuses for a while.
        if (!ordered && before < all) unheard += 1
        else [inVain, unheard] = [wanted.size < before ? 1 : inVain + 1, 0]
        if (inVain >= this.#attempts) throw error
        watch.doing(`waiting for another try, because ${error.message}`)
        await pause(pauseBefore(inVain + unheard, this.#pauses), watch.signal)
      }
    } finally {
      await incoming.close()
    }
  }

  /** Resolves with an error that another cart may not meet; rejects with one that it would meet, too. */
  async #oneCart({ wanted, incoming, tally, watch, onCart }: OneCart): Promise<Broken | undefined> {
    const cart = randomUUID()
    const maxTarBytes = largestTar(wanted, tally)
    let ordering = true
    let mayExist = true
    tally.begin()
    await onCart({ id: cart, step: 'ordering' })
    try {
      watch.doing(`ordering cart ${cart}`)
      await this.#cartd.order(cart, [...wanted.values()].map(ordered), watch.signal)
      ordering = false
      watch.moved()
      const tar = await cartWhenReady(this.#cartd, cart, this.#pauses, watch)
      watch.doing(`receiving cart ${cart}`)
      const counts = { onBytes: tally.add, onKept: tally.keep, maxTarBytes }
      const problems = await receiveCart(tar, { wanted, incoming, watch, ...counts })
      if (problems.length > 0) throw unavailable(String(this.#cartd.url), problems)
      return undefined
    } catch (error) {
      mayExist = !(ordering && changedNothing(error))
      watch.signal.throwIfAborted()
      if (error instanceof CartBrokenError || mayPass(error)) {
        return { error: error as Error, ordered: !ordering }
      }
      throw error
    } finally {
      const gone = !mayExist || (await this.#remove(cart, watch.signal))
      if (gone) await onCart({ id: cart, step: 'gone' })
    }
  }

  async #remove(cart: string, calledOff: AbortSignal): Promise<boolean> {
    const late = new AbortController()
    const giveUp = (ms: number) => late.abort(new Error(`no answer in ${ms} ms`))
    const hurry = () => setTimeout(giveUp, DELETE_WHEN_CALLED_OFF_MS, DELETE_WHEN_CALLED_OFF_MS)
    const timers = [setTimeout(giveUp, DELETE_MS, DELETE_MS)]
    const onAbort = () => void timers.push(hurry())
    if (calledOff.aborted) onAbort()
    calledOff.addEventListener('abort', onAbort)
    try {
      await this.#cartd.remove(cart, late.signal)
      return true
    } catch (error) {
      this.#onCartLeft(`${this.#cartd.url}`.replace(/\/*$/, `/${cart}`), error as Error)
      return false
    } finally {
      calledOff.removeEventListener('abort', onAbort)
      for (const timer of timers) clearTimeout(timer)
    }
  }
}

async function placedFiles(
  workspace: Workspace,
  files: readonly File[],
): Promise<Map<string, PlacedFile>> {
  const placed = new Map<string, PlacedFile>()
  for (const [path, file] of wantedFiles(files)) {
    placed.set(path, { ...file, place: await workspace.inside(`data/${path}`) })
  }
  return placed
}

async function skipWhatIsThere(
  wanted: Map<string, PlacedFile>,
  tally: Tally,
  watch: Watch,
): Promise<void> {
  for (const [path, file] of wanted) {
    watch.signal.throwIfAborted()
    watch.doing(`checking whether ${path} is there`)
    let bytes = 0
    const onChunk = (more: number) => {
      watch.signal.throwIfAborted()
      watch.moved()
      tally.add(more)
      bytes += more
    }
    if (!(await isThere(file, onChunk))) continue
    tally.keep(bytes)
    wanted.delete(path)
  }
}

function ordered({ id, path, hashtype, hashsum }: PlacedFile) {
  return { id, path, hashtype, hashsum }
}

function largestTar(wanted: ReadonlyMap<string, PlacedFile>, tally: Tally): number {
  const bytes = bytesOf(wanted.values()) ?? tally.maxBytes
  return bytes + wanted.size * TAR_BYTES_PER_FILE + TAR_BYTES
}
