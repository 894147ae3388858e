/** From CARTD_URL and INGEST_URL to the runners that handlers download and upload with. */
import { fileURLToPath } from 'node:url'
import {
  DownloaderRunner,
  type DownloadOptions,
  type File,
  LocalDownloaderRunner,
  LocalUploaderRunner,
  type Opener,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'

export interface Runners {
  readonly downloader: DownloaderRunner
  /** A task's own: what it uploads a second time, after a crash, replaces what it uploaded the first time. */
  uploaderFor(taskId: string): UploaderRunner
}

/** A handler wanted to download or upload, and nobody said from or to where. */
export class NotConfiguredError extends Error {
  readonly code = 'NOT_CONFIGURED'
  constructor(variable: string, what: string) {
    super(
      `${variable} is not set, so there is nowhere to ${what}: set it to a folder, file:///path`,
    )
  }
}

export function createRunners(config: {
  readonly cartdUrl: URL | undefined
  readonly ingestUrl: URL | undefined
}): Runners {
  const { cartdUrl, ingestUrl } = config
  const results = ingestUrl && fileURLToPath(ingestUrl)
  return {
    downloader: cartdUrl ? new LocalDownloaderRunner(fileURLToPath(cartdUrl)) : new NoDownloader(),
    uploaderFor: (taskId) =>
      results ? new LocalUploaderRunner(results, { name: bundleNames(taskId) }) : new NoUploader(),
  }
}

/** `<task>`, `<task>-2`, …: the same names in the same order each time the task is begun. */
function bundleNames(taskId: string): () => string {
  let made = 0
  return () => {
    made += 1
    return made === 1 ? taskId : `${taskId}-${made}`
  }
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
