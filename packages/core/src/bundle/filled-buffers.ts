/** Bytes from here and there, given on in full buffers: thousands of small files are few chunks. */
export class FilledBuffers {
  readonly #next: () => Buffer
  readonly #signal: AbortSignal
  #buffer: Buffer
  #used = 0

  /** @param next gives a buffer that nobody needs any more */
  constructor(next: () => Buffer, signal: AbortSignal) {
    this.#next = next
    this.#signal = signal
    this.#buffer = next()
  }

  *append(bytes: Uint8Array): Generator<Buffer, void, undefined> {
    for (let from = 0; from < bytes.length; ) {
      yield* this.#makeRoom()
      const part = bytes.subarray(from, from + this.#buffer.length - this.#used)
      this.#buffer.set(part, this.#used)
      this.#used += part.length
      from += part.length
    }
  }

  *rest(): Generator<Buffer, void, undefined> {
    if (this.#used > 0) yield this.#buffer.subarray(0, this.#used)
    this.#used = 0
  }

  *#makeRoom(): Generator<Buffer, void, undefined> {
    if (this.#used < this.#buffer.length) return
    this.#signal.throwIfAborted()
    yield this.#buffer
    this.#signal.throwIfAborted()
    this.#buffer = this.#next()
    this.#used = 0
  }
}
