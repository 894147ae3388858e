/** The path of a slot selects the event, and what its `key` selects there cannot be a key. */
export class JoinKeyError extends Error {
  override readonly name = 'JoinKeyError'
  readonly code = 'JOIN_KEY'
  /** The join's name. */
  readonly join: string
  /** The slot's name. */
  readonly slot: string

  constructor(join: string, slot: string, reason: string) {
    super(
      `the event is for slot ${slot} of the join ${join}, and ${reason}: mend the slot's key, or let its path pass over such events`,
    )
    this.join = join
    this.slot = slot
  }
}
