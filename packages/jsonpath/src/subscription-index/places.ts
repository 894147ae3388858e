/**
 * Where each program waits. One is put where it seems to be found least often without need; if it is
 * found in vain all the same, it is put somewhere else, a few of them after each match.
 */

import type { Path } from '../syntax/tree.ts'
import { necessary } from './conditions/necessary.ts'
import { type Plan, planOf } from './conditions/plan.ts'
import { Rates } from './conditions/rates.ts'
import { Crowds, planFor } from './crowds.ts'
import { itemsOf } from './one-or-many.ts'
import { isIndexed, type Program, postingsOf } from './program.ts'
import { Node } from './trie/node.ts'
import type { Posting } from './trie/posting.ts'
import { walk } from './trie/walk.ts'

/** Evaluations in vain before a program is put somewhere else the first time. */
const PATIENCE = 16
/** It is well placed if it is found in vain by fewer than one in so many values. */
const SELDOM = 64
/** Of the programs found in vain, one in so many is put somewhere else after a match, and one more. */
const SHARE = 256

export class Places {
  readonly #trie = new Node()
  readonly #everywhere = new Set<Program>()
  readonly #rates = new Rates()
  readonly #crowds: Crowds
  #impatient: Program[] = []
  #epoch = 0
  #programs = 0

  constructor(crowd: number) {
    this.#crowds = new Crowds(this.#rates, crowd)
  }

  get programs(): number {
    return this.#programs
  }

  get bytes(): number {
    return this.#rates.bytes
  }

  add(program: Program, path: Path): void {
    const plan = planOf(necessary(path))
    this.#rates.mention(plan, 1)
    this.#programs += 1
    program.patience = PATIENCE
    this.#put(program, plan)
  }

  remove(program: Program): void {
    this.#rates.mention(planFor(program), -1)
    this.#programs -= 1
    this.#takeAway(program)
  }

  /** The programs that may match the value, each once. */
  candidates(value: unknown): Program[] {
    this.#impatient = []
    this.#epoch += 1
    const epoch = this.#epoch
    const found: Program[] = [...this.#everywhere]
    const way = {
      epoch,
      found(posting: Posting) {
        if (posting.epoch === epoch) return
        posting.epoch = epoch
        arrive(posting, epoch, found)
        if (posting.behind) walk(posting.behind, value, way)
      },
    }
    walk(this.#trie, value, way)
    return found
  }

  /** What came of a candidate. */
  note(program: Program, matched: boolean): void {
    if (!isIndexed(program)) return
    program.candidate += 1
    if (matched) return
    program.wasted += 1
    if (program.wasted >= program.patience) this.#impatient.push(program)
  }

  /** Puts some of those somewhere else that were found in vain too often. */
  improve(): void {
    if (this.#impatient.length === 0) return
    const some = 1 + Math.floor(this.#impatient.length / SHARE)
    for (const program of this.#impatient.slice(0, some)) this.#reconsider(program)
  }

  #reconsider(program: Program): void {
    const matches = this.#epoch - program.since
    if (program.wasted * SELDOM > matches) this.#move(program, program.candidate / matches)
    else program.patience = program.wasted * 2
  }

  /** `rate`: how often it was found where it is. */
  #move(program: Program, rate: number): void {
    const plan = planFor(program)
    if (plan === undefined) return
    for (const { hash } of postingsOf(program)) this.#rates.observe(hash, rate)
    this.#takeAway(program)
    program.patience *= 4
    this.#put(program, plan)
  }

  #put(program: Program, plan: Plan | undefined): void {
    program.since = this.#epoch
    program.candidate = 0
    program.wasted = 0
    if (plan === undefined) {
      this.#everywhere.add(program)
      return
    }
    this.#crowds.enter(program, plan, this.#trie)
  }

  #takeAway(program: Program): void {
    this.#everywhere.delete(program)
    for (const posting of postingsOf(program)) posting.remove(program)
    program.postings = undefined
  }
}

function arrive(posting: Posting, epoch: number, found: Program[]): void {
  for (const program of itemsOf(posting.members)) {
    if (program.epoch === epoch) continue
    program.epoch = epoch
    found.push(program)
  }
}
