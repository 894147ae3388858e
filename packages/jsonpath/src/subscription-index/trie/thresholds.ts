/**
 * Limits in order, so that a number finds those it exceeds without asking the others. Kept in pieces
 * of some hundred: a new limit moves no more than its piece.
 */

import type { Side } from '../conditions/condition.ts'
import { Posting } from './posting.ts'
import type { Holder } from './table.ts'

const LONGEST_PIECE = 512

interface Threshold {
  /** Negated for the side below, so that what is exceeded always comes first. */
  readonly limit: number
  readonly posting: Posting
}

export class Thresholds implements Holder {
  readonly #holder: Holder
  readonly #side: Side
  readonly #pieces: Threshold[][] = []
  #epoch = 0
  #reached = 0

  constructor(holder: Holder, side: Side) {
    this.#holder = holder
    this.#side = side
  }

  /** The posting of a limit, made if need be. */
  posting(limit: number): Posting {
    const key = this.#key(limit)
    const piece = this.#pieceOf(key)
    const at = placeIn(piece, key)
    const known = piece[at]
    if (known?.limit === key) return known.posting
    const posting = new Posting(this, limit)
    piece.splice(at, 0, { limit: key, posting })
    if (piece.length > LONGEST_PIECE) this.#split(piece)
    return posting
  }

  drop(limit: unknown): void {
    const key = this.#key(limit as number)
    const piece = this.#pieceOf(key)
    piece.splice(placeIn(piece, key), 1)
    if (piece.length === 0) this.#pieces.splice(this.#pieces.indexOf(piece), 1)
    if (this.#pieces.length === 0) this.#holder.drop(this.#side)
  }

  /** Those that the number reaches or exceeds, and no earlier number of the same match did. */
  reach(number: number, epoch: number, found: (posting: Posting) => void): void {
    const key = this.#key(number)
    const from = this.#epoch === epoch ? this.#reached : Number.NEGATIVE_INFINITY
    if (this.#epoch === epoch && key <= from) return
    this.#epoch = epoch
    this.#reached = key
    for (const piece of this.#pieces) {
      const last = piece.at(-1)
      if (last && last.limit < from) continue
      for (const { limit, posting } of piece) {
        if (limit > key) return
        if (limit >= from) found(posting)
      }
    }
  }

  #key(limit: number): number {
    return this.#side === 'above' ? limit : -limit
  }

  /** The piece that holds the limit or would. */
  #pieceOf(limit: number): Threshold[] {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      const last = this.#pieces[middle]?.at(-1)
      if (last && last.limit < limit) low = middle + 1
      else high = middle
    }
    const piece = this.#pieces[low]
    if (piece) return piece
    const first: Threshold[] = []
    this.#pieces.push(first)
    return first
  }

  #split(piece: Threshold[]): void {
    const half = piece.splice(piece.length >>> 1)
    this.#pieces.splice(this.#pieces.indexOf(piece) + 1, 0, half)
  }
}

function placeIn(piece: readonly Threshold[], limit: number): number {
  let low = 0
  let high = piece.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((piece[middle]?.limit ?? 0) < limit) low = middle + 1
    else high = middle
  }
  return low
}
