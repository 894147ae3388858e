/** From CARTD_URL and INGEST_URL to the runners that handlers download and upload with. */
import { fileURLToPath } from 'node:url'
import {
  DownloaderRunner,
  type DownloadOptions,
  type File,
  LocalDownloaderRunner,
  LocalUploaderRunner,
  type Opener,
  RemoteDownloaderRunner,
  RemoteUploaderRunner,
  type TransferOptions,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import type { Log } from '@pacifica/platform'

export interface Runners {
  readonly downloader: DownloaderRunner
  /** Deletes a cart that an earlier run has left. Undefined where there are no carts: in a folder. */
  readonly removeCart?: ((cart: string, signal: AbortSignal) => Promise<void>) | undefined
  /** A task's own. */
  uploadsOf(taskId: string): Uploads
}

export interface Uploads {
  /** For a task's first, second, … upload. In a folder, what is uploaded again under its number replaces what it was. */
  uploaderFor(number: number): UploaderRunner
  /** Waits for the job of an earlier upload. Undefined where there are no jobs: in a folder. */
  readonly follow?: (jobId: number, options: TransferOptions) => Promise<UploadResult>
}

/** A handler wanted to download or upload, and nobody said from or to where. */
export class NotConfiguredError extends Error {
  readonly code = 'NOT_CONFIGURED'
  constructor(variable: string, what: string) {
    super(
      `${variable} is not set, so there is nowhere to ${what}: set it to a service's URL, or to a folder, file:///path`,
    )
  }
}

export interface RunnersConfig {
  /** `file:` a folder, else a service; so below. */
  readonly cartdUrl: URL | undefined
  readonly cartdUser?: string | undefined
  readonly cartdPassword?: string | undefined
  readonly ingestUrl: URL | undefined
  readonly ingestStatusUrl?: URL | undefined
  readonly ingestUser?: string | undefined
  readonly ingestPassword?: string | undefined
  readonly ingestAuthedUser?: string | undefined
  readonly ingestAuthedUserHeader?: string | undefined
}

export function createRunners(config: RunnersConfig, needs: { readonly log?: Log } = {}): Runners {
  const downloader = downloaderFor(config, needs)
  const isRemote = downloader instanceof RemoteDownloaderRunner
  return {
    downloader,
    removeCart: isRemote ? (cart, signal) => downloader.removeCart(cart, signal) : undefined,
    uploadsOf: uploadsFor(config),
  }
}

function downloaderFor(
  { cartdUrl, cartdUser: user, cartdPassword: password }: RunnersConfig,
  { log }: { readonly log?: Log },
): DownloaderRunner {
  if (cartdUrl === undefined) return new NoDownloader()
  if (cartdUrl.protocol === 'file:') return new LocalDownloaderRunner(fileURLToPath(cartdUrl))
  const onCartLeft = (cart: string, err: Error) => log?.warn({ err, cart }, 'cart.not_deleted')
  return new RemoteDownloaderRunner(cartdUrl, { user, password, onCartLeft })
}

function uploadsFor(config: RunnersConfig): Runners['uploadsOf'] {
  const { ingestUrl } = config
  if (ingestUrl === undefined) return () => ({ uploaderFor: () => new NoUploader() })
  if (ingestUrl.protocol === 'file:') {
    const folder = fileURLToPath(ingestUrl)
    return (taskId) => ({
      uploaderFor: (number) =>
        new LocalUploaderRunner(folder, { name: () => bundleName(taskId, number) }),
    })
  }
  const uploader = new RemoteUploaderRunner(ingestUrl, {
    statusUrl: config.ingestStatusUrl,
    user: config.ingestUser,
    password: config.ingestPassword,
    authedUser: config.ingestAuthedUser,
    authedUserHeader: config.ingestAuthedUserHeader,
  })
  const uploads = {
    uploaderFor: () => uploader,
    follow: (jobId: number, options: TransferOptions) => uploader.follow(jobId, options),
  }
  return () => uploads
}

/** `<task>`, `<task>-2`, … */
function bundleName(taskId: string, number: number): string {
  return number === 1 ? taskId : `${taskId}-${number}`
}

class NoDownloader extends DownloaderRunner {
  override async download(
    _folder: string,
    _files: readonly File[],
    _options?: DownloadOptions,
  ): Promise<Opener[]> {
    throw new NotConfiguredError('CARTD_URL', 'take files from')
  }
}

class NoUploader extends UploaderRunner {
  override async upload(_folder: string, _options: UploadOptions): Promise<UploadResult> {
    throw new NotConfiguredError('INGEST_URL', 'upload results to')
  }
}
