/** So many bytes are worth a chunk of their own: copying them would cost more than one chunk more. */
const LARGE = 64 * 1024

/**
 * Bytes from here and there as chunks: large ones as they are, the others together in a buffer, so that thousands of
 * small files are few chunks. Who takes a chunk is done with it when it asks for the next.
 */
export class FilledBuffers {
  readonly #buffer: Buffer
  readonly #signal: AbortSignal
  #used = 0

  constructor(size: number, signal: AbortSignal) {
    this.#buffer = Buffer.allocUnsafe(size)
    this.#signal = signal
  }

  *append(bytes: Buffer): Generator<Buffer, void, undefined> {
    if (bytes.length >= LARGE) {
      yield* this.rest()
      yield* this.#checked(bytes)
      return
    }
    for (let from = 0; from < bytes.length; ) {
      if (this.#used === this.#buffer.length) yield* this.rest()
      const count = bytes.copy(this.#buffer, this.#used, from)
      this.#used += count
      from += count
    }
  }

  *rest(): Generator<Buffer, void, undefined> {
    if (this.#used > 0) yield* this.#checked(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  *#checked(chunk: Buffer): Generator<Buffer, void, undefined> {
    this.#signal.throwIfAborted()
    yield chunk
    this.#signal.throwIfAborted()
  }
}
