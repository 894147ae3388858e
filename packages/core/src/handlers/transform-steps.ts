/** What the handlers that download, call the author's function and upload have in common. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Opener } from '../download/downloader-runner.ts'
import type { File } from '../models/file.ts'
import type { TaskContext } from './task-context.ts'
import type { InputFile, TransformResult } from './transform-handler.ts'

interface TransferOptions {
  readonly transferTimeout?: number
}

/** Asks for nothing when there are no files. */
export async function downloadFiles(
  files: readonly File[],
  folder: string,
  context: TaskContext,
  options: TransferOptions,
): Promise<InputFile[]> {
  if (files.length === 0) return []
  context.progress({ step: 'download', total: files.length })
  const openers = await context.downloader.download(folder, files, timesOf(context, options))
  return files.map((file, index) => ({ file, open: openers[index] as Opener }))
}

/** Without a file in the folder nothing is uploaded, which the log says. */
export async function uploadResult(
  folder: string,
  result: Required<TransformResult>,
  context: TaskContext,
  options: TransferOptions,
): Promise<void> {
  if (!(await holdsFiles(folder))) {
    context.log.info('transform.nothing_to_upload')
    return
  }
  context.progress({ step: 'upload' })
  const uploaded = await context.uploader.upload(folder, {
    transaction: result.transaction,
    keyValues: [...result.keyValues, ...context.provenance],
    ...timesOf(context, options),
    last: true,
  })
  context.log.info('transform.uploaded', { bundle: uploaded.bundle, jobId: uploaded.jobId })
}

function timesOf(
  { signal }: TaskContext,
  { transferTimeout }: TransferOptions,
): { signal: AbortSignal; timeout?: number } {
  return { signal, ...(transferTimeout === undefined ? {} : { timeout: transferTimeout }) }
}

/** Empty also when an earlier try of the same task left something behind. */
export async function emptyFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  return folder
}

async function holdsFiles(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.some((entry) => !entry.isDirectory())
}
