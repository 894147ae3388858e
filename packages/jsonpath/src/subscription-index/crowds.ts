/**
 * Where a program waits in the trie. Where many wait for the same atom, such as the type of an event, what else must
 * hold of each tells them apart: behind that posting is a trie of its own, which is walked when the atom holds.
 */

import { parseAs } from '../parse.ts'
import { type Atom, hashesOf } from './conditions/atom.ts'
import { necessary } from './conditions/necessary.ts'
import { type Plan, planOf } from './conditions/plan.ts'
import type { Rates } from './conditions/rates.ts'
import { itemsOf, withoutItem } from './one-or-many.ts'
import type { Program } from './program.ts'
import { Node } from './trie/node.ts'
import type { Posting } from './trie/posting.ts'

/** So many may wait for one atom before they are told apart. */
export const CROWD = 64
/** Tries behind one another at most. */
const DEEPEST = 3

export class Crowds {
  readonly #rates: Rates
  readonly #most: number

  constructor(rates: Rates, most: number) {
    this.#rates = rates
    this.#most = most
  }

  /** Lets the program wait from the root of the trie on. */
  enter(program: Program, plan: Plan, root: Node): void {
    this.#enter(program, plan, { node: root, posting: undefined, holding: [], depth: 0 })
  }

  #enter(program: Program, plan: Plan, stage: Stage): void {
    const { atoms, rate } = this.#rates.choose(plan, stage.holding)
    if (stage.posting && rate >= 1) {
      stage.posting.add(program)
      program.postings = stage.posting
      return
    }
    const [first, ...others] = postingsFor(atoms, stage.node)
    const [atom] = atoms
    if (first === undefined || atom === undefined) return
    if (others.length > 0) {
      program.postings = [first, ...others]
      for (const posting of program.postings) posting.add(program)
    } else if (first.behind) {
      this.#enter(program, plan, stageBehind(first, first.behind, atom, stage))
    } else {
      first.add(program)
      program.postings = first
      this.#disperse(first, atom, stage)
    }
  }

  /** Those that wait for several atoms stay, and those of whom nothing else is known. */
  #disperse(posting: Posting, atom: Atom, before: Stage): void {
    const { members } = posting
    const isCrowd = members instanceof Set && members.size > this.#most
    if (!isCrowd || before.depth >= DEEPEST) return
    posting.behind = new Node(posting)
    const stage = stageBehind(posting, posting.behind, atom, before)
    for (const program of [...itemsOf(members)]) {
      const plan = program.postings === posting ? planFor(program) : undefined
      if (plan === undefined) continue
      posting.members = withoutItem(posting.members, program)
      this.#enter(program, plan, stage)
    }
  }
}

/** Where a program is on its way to where it waits. */
interface Stage {
  readonly node: Node
  /** Whose trie it is. */
  readonly posting: Posting | undefined
  /** Hashes of atoms that hold here. */
  readonly holding: readonly number[]
  readonly depth: number
}

function stageBehind(posting: Posting, node: Node, atom: Atom, before: Stage): Stage {
  const holding = [...before.holding, ...hashesOf(atom)]
  return { node, posting, holding, depth: before.depth + 1 }
}

function postingsFor(atoms: readonly Atom[], node: Node): Set<Posting> {
  const postings = atoms.map((atom) => {
    const posting = node.posting(atom)
    posting.hash = atom.hash
    return posting
  })
  return new Set(postings)
}

/** Undefined: it is a candidate for every value. */
export function planFor({ dialect, source, root }: Program): Plan | undefined {
  return planOf(necessary(parseAs(dialect, source, root).path))
}
