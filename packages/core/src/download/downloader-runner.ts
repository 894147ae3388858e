import type { Readable } from 'node:stream'
import type { File } from '../models/file.ts'
import type { TransferOptions } from '../transfer/deadline.ts'

/** Opens one file for reading, as often as it is called. */
export type Opener = () => Readable

/** How a download is bounded and watched. */
export interface DownloadOptions extends TransferOptions {
  /** The files may have no more bytes than this together: checked before and while they come. No limit unless given. */
  readonly maxBytes?: number
  /**
   * Told of each cart before it is ordered, and when it is gone; waited for. Store it: a cart whose downloader was killed
   * is deleted by nobody else (`RemoteDownloaderRunner.removeCart`). Rejects at `ordering`: nothing is ordered.
   */
  readonly onCart?: (cart: CartNews) => void | Promise<void>
}

/** What becomes of a cart at Cartd. */
export interface CartNews {
  /** The uuid that the downloader chose for it. */
  readonly id: string
  /** `ordering`: it may exist from now on. `gone`: it is deleted, or never came to be. */
  readonly step: 'ordering' | 'gone'
}

/** Fetches an event's files. Authors may write their own. */
export abstract class DownloaderRunner {
  /**
   * Makes `files` available below `folder`, each at `data/<file.path>`, and returns their openers in the order of
   * `files`. Rejects when one of them cannot be had; a file is never shorter than it should be.
   * @param folder an existing folder of the task's own, where the files go
   * @param files what to fetch: all or some of `File.fromEvent(event)`
   * @param options how long it may stand still, how much may come, who is told
   */
  abstract download(
    folder: string,
    files: readonly File[],
    options?: DownloadOptions,
  ): Promise<Opener[]>
}
