/** A task's downloads: bounded, and noted in its row; their carts as well, so that none is left behind. */
import {
  type CartNews,
  DownloaderRunner,
  type DownloadOptions,
  type File,
  type Opener,
} from '@pacifica/core'
import { type ReportedProgress, transferProgress } from './task-progress.ts'

export interface TaskDownloaderNeeds {
  readonly downloader: DownloaderRunner
  readonly taken: (taken: { readonly files: number; readonly bytes: number }) => Promise<void>
  readonly cart: (cart: CartNews) => Promise<void>
  readonly progress: (progress: ReportedProgress) => void
}

export class TaskDownloader extends DownloaderRunner {
  readonly #needs: TaskDownloaderNeeds
  readonly #maxBytes: number

  /** @param maxBytes no download may bring more; a handler may ask for less */
  constructor(needs: TaskDownloaderNeeds, maxBytes: number) {
    super()
    this.#needs = needs
    this.#maxBytes = maxBytes
  }

  override async download(
    folder: string,
    files: readonly File[],
    options: DownloadOptions = {},
  ): Promise<Opener[]> {
    const { downloader, taken, cart, progress } = this.#needs
    const maxBytes = Math.min(this.#maxBytes, options.maxBytes ?? Number.POSITIVE_INFINITY)
    const telling = transferProgress('download', progress)
    let came = 0
    const openers = await downloader.download(folder, files, {
      ...options,
      ...(Number.isFinite(maxBytes) ? { maxBytes } : {}),
      onProgress: (now) => {
        came = now.bytes
        telling.moved(now)
        options.onProgress?.(now)
      },
      onNews: (said) => {
        telling.heard(said)
        options.onNews?.(said)
      },
      onCart: async (news) => {
        await cart(news)
        await options.onCart?.(news)
      },
    })
    await taken({ files: files.length, bytes: came })
    return openers
  }
}
