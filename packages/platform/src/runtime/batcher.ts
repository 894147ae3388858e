/**
 * Group commit: many callers, few commits. While a group is being committed the next one collects, so under load
 * groups grow by themselves and `waitMs` matters only when it is quiet.
 */
export interface BatcherOptions<T> {
  /** A group is committed when it has this many items, */
  readonly maxItems: number
  /** or this many bytes by `sizeOf` (an item larger than that goes alone), */
  readonly maxBytes?: number
  readonly sizeOf?: (item: T) => number
  /** or when its first item has waited this long, as it is when somebody asks. */
  readonly waitMs: number | (() => number)
  /** Commits at one time. Default 1. */
  readonly concurrency?: number
  /**
   * Whether the items of a failed group are tried again one by one, so that one bad item costs no neighbour.
   * Default: always. Say no to errors that every item would meet again, such as a lost connection.
   */
  readonly repeatSingly?: (error: unknown) => boolean
}

export interface Batcher<T, R> {
  /** Resolves with what `commit` returned for this item; rejects when its commit failed. */
  add(item: T): Promise<R>
  /** Items that are not yet in a commit. */
  readonly waiting: number
  /** Commits what waits and resolves when nothing is in hand; `add` rejects from now on. */
  close(): Promise<void>
}

export class BatcherClosedError extends Error {
  readonly code = 'BATCHER_CLOSED'
  constructor() {
    super('the service is stopping and takes nothing new')
  }
}

interface Entry<T, R> {
  readonly item: T
  readonly size: number
  readonly addedAt: number
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/** `commit` gets items in the order in which they were added and returns as many results, in that order. */
export function batcher<T, R>(
  commit: (items: T[]) => Promise<R[]>,
  options: BatcherOptions<T>,
): Batcher<T, R> {
  return new GroupCommit(commit, options)
}

class GroupCommit<T, R> implements Batcher<T, R> {
  readonly #commit: (items: T[]) => Promise<R[]>
  readonly #options: BatcherOptions<T>
  #queue: Entry<T, R>[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  readonly #running = new Set<Promise<void>>()
  #closed = false

  constructor(commit: (items: T[]) => Promise<R[]>, options: BatcherOptions<T>) {
    this.#commit = commit
    this.#options = options
  }

  get waiting(): number {
    return this.#queue.length
  }

  add(item: T): Promise<R> {
    if (this.#closed) return Promise.reject(new BatcherClosedError())
    return new Promise((resolve, reject) => {
      const size = this.#options.sizeOf?.(item) ?? 0
      this.#queue.push({ item, size, addedAt: performance.now(), resolve, reject })
      this.#bytes += size
      this.#start()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#start()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** Begins as many commits as are due and allowed; else sees to it that it is called again when one is. */
  #start(): void {
    while (this.#queue.length > 0 && this.#running.size < (this.#options.concurrency ?? 1)) {
      const waitMs = this.#msUntilDue()
      if (waitMs > 0) {
        this.#timer ??= setTimeout(() => this.#wake(), waitMs)
        return
      }
      this.#run(this.#takeGroup())
    }
  }

  #wake(): void {
    this.#timer = undefined
    this.#start()
  }

  #msUntilDue(): number {
    const { maxItems, maxBytes = Number.POSITIVE_INFINITY, waitMs } = this.#options
    const full = this.#queue.length >= maxItems || this.#bytes >= maxBytes
    const oldest = this.#queue[0]
    if (this.#closed || full || oldest === undefined) return 0
    const ms = typeof waitMs === 'number' ? waitMs : waitMs()
    return Math.ceil(oldest.addedAt + ms - performance.now())
  }

  #takeGroup(): Entry<T, R>[] {
    const { maxItems, maxBytes = Number.POSITIVE_INFINITY } = this.#options
    let count = 0
    let bytes = 0
    for (const { size } of this.#queue) {
      if (count === maxItems || (count > 0 && bytes + size > maxBytes)) break
      count += 1
      bytes += size
    }
    this.#bytes -= bytes
    return this.#queue.splice(0, count)
  }

  #run(group: Entry<T, R>[]): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const run = this.#commitGroup(group).finally(() => {
      this.#running.delete(run)
      this.#start()
    })
    this.#running.add(run)
  }

  async #commitGroup(group: Entry<T, R>[]): Promise<void> {
    try {
      await this.#commitTogether(group)
    } catch (error) {
      const again = group.length > 1 && (this.#options.repeatSingly?.(error) ?? true)
      if (!again) return rejectAll(group, error)
      for (const entry of group) await this.#commitTogether([entry]).catch(entry.reject)
    }
  }

  async #commitTogether(group: Entry<T, R>[]): Promise<void> {
    const results = await this.#commit(group.map((entry) => entry.item))
    if (results.length !== group.length) {
      throw new Error(`a commit of ${group.length} items gave ${results.length} results`)
    }
    group.forEach((entry, index) => {
      entry.resolve(results[index] as R)
    })
  }
}

function rejectAll(group: Entry<unknown, never>[], error: unknown): void {
  for (const entry of group) entry.reject(error)
}
