/** A set of names whose values are asked for together: tables inside one another, one for each name. */

import type { Members } from '../../values/kinds.ts'
import { normalScalar, type Scalar } from '../conditions/atom.ts'
import { Posting } from './posting.ts'
import { type Holder, Table } from './table.ts'

type Level = Table<Scalar, Posting | Level>

export class Template implements Holder {
  readonly #holder: Holder
  readonly #names: readonly string[]
  readonly #first: Level

  constructor(holder: Holder, names: readonly string[]) {
    this.#holder = holder
    this.#names = names
    this.#first = new Table(this, undefined)
  }

  isOf(names: readonly string[]): boolean {
    return (
      names.length === this.#names.length && names.every((name, at) => name === this.#names[at])
    )
  }

  /** The posting of these values, made if need be; in the order of the names. */
  posting(values: readonly Scalar[]): Posting {
    let level = this.#first
    for (const value of values.slice(0, -1)) {
      let next = level.get(value)
      if (!(next instanceof Table)) {
        next = new Table(level, value) as Level
        level.set(value, next)
      }
      level = next
    }
    const last = values.at(-1) ?? null
    const known = level.get(last)
    if (known instanceof Posting) return known
    const posting = new Posting(level, last)
    level.set(last, posting)
    return posting
  }

  /** The posting of an object's own members. */
  find(value: Members): Posting | undefined {
    let level: Level | Posting | undefined = this.#first
    for (const name of this.#names) {
      if (!(level instanceof Table) || !Object.hasOwn(value, name)) return undefined
      const scalar = normalScalar(value[name])
      if (scalar === undefined) return undefined
      level = level.get(scalar)
    }
    return level instanceof Posting ? level : undefined
  }

  drop(): void {
    this.#holder.drop(this)
  }
}
