/**
 * Any executable as a handler: `COMMAND SRC DST`, where `SRC/notification.json` is the event, `SRC/downloads/…` are its
 * files, and what lies in `DST/uploads/…` afterwards is the result. Exit code 0 is success, everything else is failure.
 */
import { randomUUID } from 'node:crypto'
import { access, lstat, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Workspace } from '../../bundle/workspace.ts'
import type { Event } from '../../events/event.ts'
import { EventHandler } from '../event-handler.ts'
import type { TaskContext } from '../task-context.ts'
import { TransformHandler } from '../transform-handler.ts'
import type { CaptureOptions } from './captured-output.ts'
import { environmentFor } from './environment.ts'
import {
  CommandFailedError,
  CommandNotStartedError,
  CommandResultError,
  CommandTimeoutError,
  CommandTooLargeError,
} from './errors.ts'
import {
  type Command,
  type CommandOptions,
  type CommandSettings,
  nameOf,
  settingsOf,
} from './options.ts'
import { type CommandRun, type Ended, runCommand } from './run-command.ts'
import { makeFolders, type RunFolders } from './run-folders.ts'
import { whyNotStarted } from './why-not-started.ts'

/**
 * A handler that runs a program: `COMMAND SRC DST`. The event is `SRC/notification.json`, its files are at
 * `SRC/downloads/<subdir>/<name>`, and what the program leaves in `DST/uploads` is the result. Exit code 0 is success.
 * @example
 * ```ts
 * import { CommandHandler } from '@pacifica/core'
 *
 * export const means = new CommandHandler(
 *   ['python3', new URL('column_means.py', import.meta.url), '--digits', '3'],
 *   { select: ({ name }) => name?.endsWith('.csv') ?? false, timeout: 10 * 60_000 },
 * )
 * ```
 */
export class CommandHandler extends EventHandler {
  readonly #settings: CommandSettings
  readonly #name: string

  /**
   * Throws `CommandOptionsError`, which lists all mistakes.
   * @param command the program and its first arguments
   * @param options of files, time, output and variables
   */
  constructor(command: Command, options: CommandOptions = {}) {
    super()
    this.#settings = settingsOf(command, options)
    this.#name = nameOf(this.#settings.command)
  }

  /**
   * Throws `CommandNotStartedError`, `CommandFailedError`, `CommandTimeoutError`, `CommandTooLargeError`,
   * `CommandResultError`, what downloads and uploads throw, or the signal's reason. However it ends, nothing that the
   * executable started is running any more.
   * @param event whose files the program gets
   * @param context of the task
   */
  override async handle(event: Event, context: TaskContext): Promise<void> {
    const settings = this.#settings
    const folders = await makeFolders(context.folder)
    const transform = new TransformHandler(async ({ inputFolder }) => {
      await giveInput(event, inputFolder, folders, settings)
      context.progress({ step: 'command' })
      const ended = await this.#run(folders, context)
      this.#judge(ended, context)
      await this.#takeResult(folders)
      return settings.result?.(event)
    }, settings)
    await transform.handle(event, { ...context, folder: folders.destination })
  }

  async #run(folders: RunFolders, context: TaskContext): Promise<Ended> {
    const settings = this.#settings
    const folder = settings.folder ?? folders.destination
    const { taskId, signal } = context
    const mark = randomUUID()
    const names = { taskId, run: mark, temporary: folders.temporary }
    const environment = environmentFor(process.env, settings, names)
    const run: CommandRun = {
      words: [...settings.command, folders.source, folders.destination],
      folder,
      environment,
      mark,
      stdout: this.#captureAs('stdout', folders, context),
      stderr: this.#captureAs('stderr', folders, context),
      measured: [folders.destination, folders.temporary, folders.output],
    }
    signal.throwIfAborted()
    return await runCommand(run, settings, signal).catch(async (cause: unknown) => {
      const [program] = settings.command
      const reason = await whyNotStarted(program, folder, environment['PATH'], cause)
      throw new CommandNotStartedError(this.#name, reason, { cause })
    })
  }

  #captureAs(
    stream: 'stdout' | 'stderr',
    folders: RunFolders,
    { log }: TaskContext,
  ): CaptureOptions {
    const { maxOutput, keep = {} } = this.#settings
    return {
      maxLogged: maxOutput,
      line: (line) => log.info(`command.${stream}`, { line }),
      file: keep[stream] === undefined ? undefined : join(folders.output, stream),
    }
  }

  #judge(ended: Ended, { log, signal }: TaskContext): void {
    const { stdout, stderr } = ended
    for (const [stream, { unlogged }] of Object.entries({ stdout, stderr })) {
      if (unlogged > 0) log.warn('command.output_cut', { stream, unlogged })
    }
    const fields = ended.kind === 'by-itself' ? { ...ended.end } : {}
    log.info('command.ended', { command: this.#name, how: ended.kind, ...fields })
    signal.throwIfAborted()
    const { timeout = 0, maxBytes = 0 } = this.#settings
    switch (ended.kind) {
      case 'by-itself':
        if (ended.end.exitCode === 0) break
        throw new CommandFailedError(this.#name, ended.end, stderr.tail)
      case 'too-long':
        throw new CommandTimeoutError(this.#name, timeout, stderr.tail)
      case 'too-large':
        throw new CommandTooLargeError(this.#name, ended.bytes, maxBytes)
      case 'unheard':
      case 'called-off':
        break
    }
    const cause = stdout.error ?? stderr.error
    if (cause === undefined) return
    throw new CommandResultError(this.#name, 'its output cannot be kept', { cause })
  }

  /** The folder of results must be the one that the executable was given, and not a link to somewhere else. */
  async #takeResult(folders: RunFolders): Promise<void> {
    const { destination } = folders
    const uploads = join(destination, 'uploads')
    const own = join(await realpath(dirname(destination)), 'destination')
    const stats = await lstat(uploads).catch(() => undefined)
    const moved = (await realpath(destination).catch(() => undefined)) !== own
    if (moved || stats?.isDirectory() === false) {
      throw new CommandResultError(
        this.#name,
        'DST or DST/uploads is not the folder that it was given',
      )
    }
    await mkdir(uploads, { recursive: true })
    const { stdout, stderr } = this.#settings.keep ?? {}
    if (stdout !== undefined) await this.#keep(join(folders.output, 'stdout'), uploads, stdout)
    if (stderr !== undefined) await this.#keep(join(folders.output, 'stderr'), uploads, stderr)
  }

  async #keep(output: string, uploads: string, name: string): Promise<void> {
    const target = await new Workspace(uploads).inside(name)
    const taken = await access(target).then(
      () => true,
      () => false,
    )
    if (taken) {
      const reason = `it has written DST/uploads/${name} itself, where its output is to be kept`
      throw new CommandResultError(this.#name, reason)
    }
    await mkdir(dirname(target), { recursive: true })
    await rename(output, target)
  }
}

/** The downloads, without the `data/` that they came in, and the event. */
async function giveInput(
  event: Event,
  inputFolder: string,
  { source }: RunFolders,
  { version }: CommandSettings,
): Promise<void> {
  const downloads = join(source, 'downloads')
  await rename(join(inputFolder, 'data'), downloads).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    await mkdir(downloads)
  })
  await rm(inputFolder, { recursive: true })
  const text = version === undefined ? event.text : event.toBody(version, {})
  await writeFile(join(source, 'notification.json'), text)
}
