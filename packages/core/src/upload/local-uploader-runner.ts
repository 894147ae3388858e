/** Writes bundles into a folder of this machine: byte for byte what Ingest would be sent. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { listFiles } from '../bundle/list-files.ts'
import { bundleSize, packBundleInPlace } from '../bundle/pack.ts'
import { Workspace } from '../bundle/workspace.ts'
import { counted } from '../transfer/counted.ts'
import { withDeadline } from '../transfer/deadline.ts'
import { UploaderRunner, type UploadOptions, type UploadResult } from './uploader-runner.ts'

/** What bundles are called. */
export interface LocalUploaderOptions {
  /** The next bundle's name, without `.tar`. Random unless given; a task's id makes a repeated upload replace the first. */
  readonly name?: () => string
}

/** Writes bundles into a folder of this machine: byte for byte what Ingest would be sent. */
export class LocalUploaderRunner extends UploaderRunner {
  /** Its whole path. */
  readonly folder: string
  readonly #name: () => string

  /**
   * @param folder where bundles go; made when the first one is written
   * @param options what they are called
   */
  constructor(folder: string, options: LocalUploaderOptions = {}) {
    super()
    this.folder = resolve(folder)
    this.#name = options.name ?? randomUUID
  }

  /**
   * Writes `<name>.tar`, whole or not at all: it gets its name when every byte is on the disk. Throws what `listFiles`
   * and `packBundle` throw.
   */
  override upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    return withDeadline(`writing a bundle into ${this.folder}`, options, async (watch) => {
      await mkdir(this.folder, { recursive: true })
      const bundle = await new Workspace(this.folder).inside(`${this.#name()}.tar`)
      const files = await listFiles(folder)
      const total = bundleSize(files, options)
      const packed = packBundleInPlace(files, options, watch.signal)
      await writeWhole(bundle, counted(packed, total, watch, options), watch.signal)
      await syncFolder(this.folder)
      return { bundle, jobId: undefined, state: {} }
    })
  }
}

async function writeWhole(
  path: string,
  bytes: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  const unfinished = `${path}.${randomUUID()}.partial`
  try {
    const file = await open(unfinished, 'wx')
    try {
      for await (const chunk of bytes) {
        signal.throwIfAborted()
        await file.writeFile(chunk)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

/** The new name itself must be on the disk too. Windows cannot open a folder, and needs not. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
