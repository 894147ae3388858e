/**
 * How often each hash was noted: a count-min sketch, which answers too much sometimes and never too
 * little. It begins small and doubles as it fills; a doubled sketch answers as before.
 */

/** Rows of a sketch; each is asked, and the least answer counts. */
const ROWS = 2
const LEAST_WIDTH = 256
/** 4 MiB in all. */
const MOST_WIDTH = 1 << 19

export class Sketch {
  #width = LEAST_WIDTH
  #rows: Uint32Array[] = []
  #noted = 0

  get bytes(): number {
    return this.#rows.length * this.#width * 4
  }

  count(hash: number): number {
    let least = Number.POSITIVE_INFINITY
    for (let row = 0; row < this.#rows.length; row += 1) {
      least = Math.min(least, this.#rows[row]?.[this.#place(hash, row)] ?? 0)
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  /** `change` is 1, or -1 to take one note back. */
  note(hash: number, change: 1 | -1): void {
    if (this.#rows.length === 0) {
      this.#rows = Array.from({ length: ROWS }, () => new Uint32Array(this.#width))
    }
    this.#noted += change
    if (this.#noted > this.#width && this.#width < MOST_WIDTH) this.#double()
    for (let row = 0; row < ROWS; row += 1) {
      const cells = this.#rows[row]
      const at = this.#place(hash, row)
      if (cells) cells[at] = Math.max((cells[at] ?? 0) + change, 0)
    }
  }

  #place(hash: number, row: number): number {
    return (row === 0 ? hash : Math.imul(hash, 0x9e3779b1) >>> 7) & (this.#width - 1)
  }

  /** A hash's place in the doubled row is its old one, or the same in the second half. */
  #double(): void {
    this.#rows = this.#rows.map((cells) => {
      const doubled = new Uint32Array(this.#width * 2)
      doubled.set(cells)
      doubled.set(cells, this.#width)
      return doubled
    })
    this.#width *= 2
  }
}
