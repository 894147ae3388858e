import type { Readable } from 'node:stream'
import type { File } from '../models/file.ts'
import type { TransferOptions } from '../transfer/deadline.ts'

/** Opens one file for reading, as often as it is called. */
export type Opener = () => Readable

export interface DownloadOptions extends TransferOptions {
  /** The files may have no more bytes than this together: checked before and while they come. No limit unless given. */
  readonly maxBytes?: number
  /**
   * Told of each cart before it is ordered, and when it is gone; waited for. Store it: a cart whose downloader was killed
   * is deleted by nobody else (`RemoteDownloaderRunner.removeCart`). Rejects at `ordering`: nothing is ordered.
   */
  readonly onCart?: (cart: CartNews) => void | Promise<void>
}

export interface CartNews {
  readonly id: string
  readonly step: 'ordering' | 'gone'
}

/** Fetches an event's files. Authors may write their own. */
export abstract class DownloaderRunner {
  /**
   * Makes `files` available below `folder`, each at `data/<file.path>`, and returns their openers in the order of
   * `files`. Rejects when one of them cannot be had; a file is never shorter than it should be.
   */
  abstract download(
    folder: string,
    files: readonly File[],
    options?: DownloadOptions,
  ): Promise<Opener[]>
}
