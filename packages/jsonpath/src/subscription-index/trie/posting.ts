/** The programs that wait for one atom. */

import { type OneOrMany, withItem, withoutItem } from '../one-or-many.ts'
import type { Program } from '../program.ts'
import type { Holder } from './table.ts'

export class Posting {
  readonly #holder: Holder
  readonly #heldAs: unknown
  members: OneOrMany<Program>
  /** The last match that came past; a second time there is nothing new here. */
  epoch = 0
  /** The atom's. */
  hash = 0

  constructor(holder: Holder, heldAs: unknown) {
    this.#holder = holder
    this.#heldAs = heldAs
  }

  add(program: Program): void {
    this.members = withItem(this.members, program)
  }

  remove(program: Program): void {
    this.members = withoutItem(this.members, program)
    if (this.members === undefined) this.#holder.drop(this.#heldAs)
  }
}
