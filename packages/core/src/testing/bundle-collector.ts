/** Takes a handler's uploads: each becomes a tar, as Ingest would be sent it, and is read back. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TransferProgress } from '../transfer/deadline.ts'
import { LocalUploaderRunner } from '../upload/local-uploader-runner.ts'
import { UploaderRunner, type UploadOptions, type UploadResult } from '../upload/uploader-runner.ts'
import { type Bundle, readBundle } from './read-bundle.ts'

export interface CollectorOptions {
  /** Where the tars are written. */
  readonly folder: string
  /** They stay there, and are unpacked beside: `bundle-1.tar`, `bundle-1/`. */
  readonly kept: boolean
  readonly told: (progress: TransferProgress) => void
}

export class BundleCollector extends UploaderRunner {
  readonly #options: CollectorOptions
  readonly #bundles: Bundle[] = []
  #number = 0

  constructor(options: CollectorOptions) {
    super()
    this.#options = options
  }

  get bundles(): readonly Bundle[] {
    return this.#bundles.toSorted((one, other) => one.number - other.number)
  }

  override async upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    this.#number += 1
    const number = this.#number
    const { folder: target, kept, told } = this.#options
    const name = `bundle-${number}`
    const onProgress = (progress: TransferProgress) => {
      told(progress)
      options.onProgress?.(progress)
    }
    const uploader = new LocalUploaderRunner(target, { name: () => name })
    const result = await uploader.upload(folder, { ...options, onProgress })
    const unpacked = kept ? join(target, name) : undefined
    if (unpacked !== undefined) await mkdir(unpacked)
    this.#bundles.push(await readBundle(result.bundle as string, { number, folder: unpacked }))
    return result
  }
}

/** Makes the folder, and removes what an earlier run has left in it: `bundle-1`, `bundle-1.tar`, … */
export async function readyForBundles(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const earlier = (await readdir(folder)).filter((name) => /^bundle-\d+(\.tar)?$/.test(name))
  await Promise.all(earlier.map((name) => rm(join(folder, name), { recursive: true })))
}
