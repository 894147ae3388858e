/** The programs that wait for one atom. */

import { type OneOrMany, withItem, withoutItem } from '../one-or-many.ts'
import type { Program } from '../program.ts'
import type { Node } from './node.ts'
import type { Holder } from './table.ts'

export class Posting implements Holder {
  readonly #holder: Holder
  readonly #heldAs: unknown
  members: OneOrMany<Program>
  /** Where others wait who want more than the atom. */
  behind: Node | undefined
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
    this.#leaveIfEmpty()
  }

  /** Nobody waits behind it any more. While others wait here it stays: they need not be told apart again. */
  drop(): void {
    this.#leaveIfEmpty()
  }

  #leaveIfEmpty(): void {
    const isEmpty = this.members === undefined && (this.behind?.isEmpty ?? true)
    if (isEmpty) this.#holder.drop(this.#heldAs)
  }
}
