/**
 * The programs that are compiled: closures take some ten times the memory of a text, so the least
 * used are dropped. A hand goes round; what was used since it last came past is spared once.
 */

import { program as compileProgram } from '../compile/compile.ts'
import { stop, type Visit } from '../compile/run.ts'
import { parseAs } from '../parse.ts'
import type { Program } from './program.ts'

export class CompiledPrograms {
  readonly #most: number
  readonly #ring: Program[] = []
  #hand = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#ring.length
  }

  get(program: Program): Visit {
    program.recent = true
    program.test ??= this.#compile(program)
    return program.test
  }

  #compile(program: Program): Visit {
    const { path } = parseAs(program.dialect, program.source, program.root)
    if (this.#ring.length < this.#most) this.#ring.push(program)
    else this.#ring[this.#evict()] = program
    return compileProgram(path, stop, 'exists')
  }

  /** A place in the ring that is free now. */
  #evict(): number {
    for (;;) {
      const at = this.#hand
      this.#hand = (at + 1) % this.#ring.length
      const program = this.#ring[at]
      if (program?.recent) {
        program.recent = false
      } else {
        if (program) program.test = undefined
        return at
      }
    }
  }

  /** A program that no longer is must not be kept alive by the ring. */
  drop(program: Program): void {
    if (program.test === undefined) return
    program.test = undefined
    const last = this.#ring.pop()
    const at = last === program ? -1 : this.#ring.indexOf(program)
    if (last && at !== -1) this.#ring[at] = last
    if (this.#hand >= this.#ring.length) this.#hand = 0
  }
}
