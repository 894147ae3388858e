/**
 * The programs that are compiled: closures take some forty times the memory of their text, so the
 * least used are dropped. A hand goes round; what was used since it last came past is spared once.
 */

import { program as compileProgram } from '../compile/compile.ts'
import { stop, type Visit } from '../compile/run.ts'
import { parseAs } from '../parse.ts'
import type { Program } from './program.ts'

export class CompiledPrograms {
  readonly #mostBytes: number
  readonly #ring: Program[] = []
  #hand = 0
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes
  }

  get(program: Program): Visit {
    program.recent = true
    program.test ??= this.#compile(program)
    return program.test
  }

  /** One is kept, however large. */
  #compile(program: Program): Visit {
    const { path } = parseAs(program.dialect, program.source, program.root)
    const test = compileProgram(path, stop, 'exists')
    const bytes = bytesOf(program)
    while (this.#ring.length > 0 && this.#bytes + bytes > this.#mostBytes) this.#turn()
    this.#ring.push(program)
    this.#bytes += bytes
    return test
  }

  /** Spares the program at the hand, or drops it. */
  #turn(): void {
    if (this.#hand >= this.#ring.length) this.#hand = 0
    const program = this.#ring[this.#hand]
    if (program?.recent) {
      program.recent = false
      this.#hand += 1
    } else {
      this.#takeOut(this.#hand)
    }
  }

  #takeOut(at: number): void {
    const program = this.#ring[at]
    const last = this.#ring.pop()
    if (!program || !last) return
    if (last !== program) this.#ring[at] = last
    program.test = undefined
    this.#bytes -= bytesOf(program)
  }

  /** A program that no longer is must not be kept alive by the ring. */
  drop(program: Program): void {
    if (program.test) this.#takeOut(this.#ring.indexOf(program))
  }
}

/** Measured on real expressions: 2.5 kB for the shortest, 35 to 45 bytes for each character. */
function bytesOf({ text }: Program): number {
  return 2000 + 40 * text.length
}
