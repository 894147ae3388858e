/**
 * The uploads of a dry run: bundles as they would be sent, written into a folder of this machine, and nothing handed
 * in. What each holds is kept for the comparison.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  LocalUploaderRunner,
  type TransactionKeyValue,
  UploaderRunner,
  type UploadOptions,
  type UploadResult,
} from '@pacifica/core'
import type { MadeUpload } from './compare.ts'
import { type Manifest, manifestOf } from './manifest.ts'
import { withProvenance } from './provenance.ts'
import type { ReportedProgress } from './task-progress.ts'

export interface DryRunUploaderOptions {
  readonly taskId: string
  readonly provenance: readonly TransactionKeyValue[]
  /** Where the bundles go: `<task>.tar`, `<task>-2.tar`, … */
  readonly folder: string
}

export class DryRunUploader extends UploaderRunner {
  readonly made: MadeUpload[] = []
  readonly #options: DryRunUploaderOptions
  readonly #progress: (progress: ReportedProgress) => void
  #asked = 0

  constructor(
    needs: { readonly progress: (progress: ReportedProgress) => void },
    options: DryRunUploaderOptions,
  ) {
    super()
    this.#progress = needs.progress
    this.#options = options
  }

  override async upload(folder: string, options: UploadOptions): Promise<UploadResult> {
    this.#asked += 1
    const number = this.#asked
    const { taskId, provenance } = this.#options
    const name = number === 1 ? taskId : `${taskId}-${number}`
    let manifest: Manifest = manifestOf([])
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
    const runner = new LocalUploaderRunner(this.#options.folder, { name: () => name })
    const result = await runner.upload(folder, {
      ...options,
      keyValues: withProvenance(options.keyValues, provenance),
      onFiles: (files) => {
        manifest = manifestOf(files)
      },
      onProgress: (now) => {
        this.#progress({ step: 'dry run', done: now.bytes, total: now.total, unit: 'bytes' })
        options.onProgress?.(now)
      },
    })
    this.made.push({ number, manifest, bundle: result.bundle ?? null })
    return result
  }
}

/** Removes the bundles of dry runs that are older, and what killed processes left unfinished. How many went. */
export async function removeOldDryRuns(folder: string, olderThanMs: number): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  let removed = 0
  for (const name of names) {
    const path = join(folder, name)
    const age =
      Date.now() -
      (await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ))
    if (age <= olderThanMs) continue
    await rm(path, { recursive: true, force: true })
    removed += 1
  }
  return removed
}
