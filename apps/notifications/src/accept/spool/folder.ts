/**
 * One spool folder, of one process alone: its lock is the kernel's and goes with the process. A file is a group of
 * records; its name says when it came, so that names in order are files in order of arrival.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder } from '@pacifica/platform'
import { makeFolder, writeDurably } from './durable.ts'

/** Milliseconds, a number within them and, of what was set aside, which part of the file. */
const NAME = /^(\d{15})-(\d{8})(-\d+)?\.events$/
const SET_ASIDE = 'set-aside'

export interface SpoolFile {
  readonly name: string
  readonly bytes: number
}

export class SpoolFolder {
  readonly path: string
  readonly #lock: { release(): void }
  /** In order of arrival. */
  readonly #files = new Map<string, SpoolFile>()
  #bytes = 0
  #lastMs = 0
  #number = 0

  /** @throws FolderInUseError when another process has it */
  constructor(path: string) {
    makeFolder(path)
    this.path = path
    this.#lock = lockFolder(path)
    try {
      this.#scan()
    } catch (error) {
      this.#lock.release()
      throw error
    }
  }

  files(): IterableIterator<SpoolFile> {
    return this.#files.values()
  }

  get count(): number {
    return this.#files.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many files were set aside, now or earlier. */
  get setAside(): number {
    try {
      return readdirSync(join(this.path, SET_ASIDE)).filter((name) => NAME.test(name)).length
    } catch {
      return 0
    }
  }

  /** Resolves when the file and its name are on the disk. One at a time. */
  async write(content: Buffer, nowMs: number): Promise<void> {
    const name = this.#nextName(nowMs)
    await writeDurably(this.path, name, content)
    this.#files.set(name, { name, bytes: content.length })
    this.#bytes += content.length
  }

  read(file: SpoolFile): Promise<Buffer> {
    return readFile(join(this.path, file.name))
  }

  /** After its events are committed. Should the removal be undone by a crash, they are taken in once more, as repeats. */
  async remove(file: SpoolFile): Promise<void> {
    await rm(join(this.path, file.name), { force: true })
    if (this.#files.delete(file.name)) this.#bytes -= file.bytes
  }

  /** Keeps what cannot be stored, beside a note that says why. Where it lies is answered. */
  async keepAside(file: SpoolFile, part: number, content: Buffer, reason: string): Promise<string> {
    const folder = join(this.path, SET_ASIDE)
    makeFolder(folder)
    const name = file.name.replace('.events', `-${part}.events`)
    await writeDurably(folder, `${name}.reason.txt`, Buffer.from(`${reason}\n`))
    await writeDurably(folder, name, content)
    return join(folder, name)
  }

  release(): void {
    this.#lock.release()
  }

  /** What was not finished was never answered: it goes. */
  #scan(): void {
    for (const name of readdirSync(this.path).sort()) {
      const path = join(this.path, name)
      if (name.endsWith('.new')) rmSync(path, { force: true })
      const [, ms, number] = NAME.exec(name) ?? []
      if (ms === undefined) continue
      const bytes = statSync(path).size
      this.#files.set(name, { name, bytes })
      this.#bytes += bytes
      this.#lastMs = Number(ms)
      this.#number = Number(number)
    }
  }

  /** Later than every file there, also after a clock that was set back. */
  #nextName(nowMs: number): string {
    this.#number = nowMs > this.#lastMs ? 0 : this.#number + 1
    this.#lastMs = Math.max(nowMs, this.#lastMs)
    const [ms, number] = [this.#lastMs, this.#number]
    return `${String(ms).padStart(15, '0')}-${String(number).padStart(8, '0')}.events`
  }
}
