/**
 * The subscriptions that a value matches, without evaluating all of them: what must hold of a match is
 * looked up (conditions/, trie/), and whoever is found is evaluated in full. So the index may be
 * faster than brute force and never different.
 */

import type { Shared } from '../compile/constant.ts'
import { startRun } from '../compile/run.ts'
import { WORK_LIMITS, type WorkLimits } from '../limits.ts'
import { type Dialect, parseAs } from '../parse.ts'
import { print } from '../syntax/print.ts'
import { CompiledPrograms } from './compiled-programs.ts'
import { CROWD } from './crowds.ts'
import { itemsOf, withItem, withoutItem } from './one-or-many.ts'
import { Places } from './places.ts'
import { type Entry, isIndexed, type Program } from './program.ts'
import type {
  ExpressionOptions,
  MatchOptions,
  SubscriptionStats,
  Subscriptions,
  SubscriptionsOptions,
} from './subscriptions.ts'
import { limitError, type Outcome, Verdicts } from './verdicts.ts'

/** Bounds on the work of an expression, and on the memory of all. */
export interface SubscriptionIndexOptions extends SubscriptionsOptions {
  /** Memory for expressions that are kept compiled, at most; estimated. Default: 256 MiB. */
  readonly compiledBytes?: number
  /**
   * So many expressions may share what they are found by, before something else that they ask for tells them apart.
   * Default: 64.
   */
  readonly crowd?: number
}

const COMPILED_BYTES = 256 * 1024 * 1024

/**
 * Many expressions against one value at a time: those that cannot match are not evaluated. Memory and time for adding
 * one do not depend on how many there are.
 * @example
 * ```ts
 * import { SubscriptionIndex } from '@pacifica/jsonpath'
 *
 * const index = new SubscriptionIndex()
 * index.set('north', '$.data[*][?(@.key = "site" and @.value = "north")]')
 * console.log(index.match({ data: [{ key: 'site', value: 'north' }] })) // ['north']
 * ```
 */
export class SubscriptionIndex implements Subscriptions {
  readonly #limits: WorkLimits
  readonly #compiled: CompiledPrograms
  readonly #entries = new Map<string, Entry>()
  readonly #programs = new Map<Dialect, Map<string, Program>>()
  readonly #places: Places
  #place = 0
  #scanned = 0
  #candidates = 0
  #bytes = 0

  /** @param options bounds on work and memory */
  constructor(options: SubscriptionIndexOptions = {}) {
    const { limits, compiledBytes = COMPILED_BYTES, crowd = CROWD } = options
    this.#limits = { ...WORK_LIMITS, ...limits }
    this.#compiled = new CompiledPrograms(compiledBytes)
    this.#places = new Places(crowd)
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#entries.size
  }

  set(id: string, text: string, options: ExpressionOptions = {}): void {
    const program = this.#program(text, options)
    const known = this.#entries.get(id)
    if (known?.program === program) return
    const entry = known ?? { id, place: this.#place++, program }
    if (known) this.#leave(known)
    entry.program = program
    program.entries = withItem(program.entries, entry)
    this.#entries.set(id, entry)
    this.#count(entry, 1)
  }

  delete(id: string): boolean {
    const entry = this.#entries.get(id)
    if (!entry) return false
    this.#leave(entry)
    return this.#entries.delete(id)
  }

  match(value: unknown, options: MatchOptions = {}): string[] {
    const verdicts = new Verdicts()
    const shared = new Map<Dialect, Shared>()
    const candidates = this.#places.candidates(value)
    this.#candidates = candidates.length
    for (const program of candidates) {
      const outcome = this.#evaluate(program, value, sharedBy(program, shared))
      this.#places.note(program, outcome === true)
      if (outcome === false) continue
      for (const entry of itemsOf(program.entries)) verdicts.add(entry, outcome)
    }
    this.#places.improve()
    return verdicts.report(options)
  }

  isIndexed(id: string): boolean {
    const entry = this.#entries.get(id)
    return entry !== undefined && isIndexed(entry.program)
  }

  stats(): SubscriptionStats {
    const entries = this.#entries.size
    return {
      entries,
      indexed: entries - this.#scanned,
      scanned: this.#scanned,
      expressions: this.#places.programs,
      candidates: this.#candidates,
      bytes: this.#bytes + this.#places.bytes + this.#compiled.bytes,
    }
  }

  /** The program of an expression, made and placed if nobody else has written it. */
  #program(source: string, { dialect = 'jsonpath2', root = 'strict' }: ExpressionOptions): Program {
    const { path } = parseAs(dialect, source, root)
    const text = print(path, dialect)
    let programs = this.#programs.get(dialect)
    if (!programs) {
      programs = new Map()
      this.#programs.set(dialect, programs)
    }
    const known = programs.get(text)
    if (known) return known
    const program: Program = {
      dialect,
      root,
      source,
      text,
      entries: undefined,
      postings: undefined,
      epoch: 0,
      test: undefined,
      recent: false,
      since: 0,
      candidate: 0,
      wasted: 0,
      patience: 0,
    }
    programs.set(text, program)
    this.#places.add(program, path)
    this.#bytes += sizeOf(program)
    return program
  }

  /** The entry gives up its program, and the last one takes it away. */
  #leave(entry: Entry): void {
    const { program } = entry
    this.#count(entry, -1)
    program.entries = withoutItem(program.entries, entry)
    if (program.entries !== undefined) return
    this.#places.remove(program)
    this.#compiled.drop(program)
    this.#programs.get(program.dialect)?.delete(program.text)
    this.#bytes -= sizeOf(program)
  }

  #count({ id, program }: Entry, change: 1 | -1): void {
    if (!isIndexed(program)) this.#scanned += change
    this.#bytes += change * (BYTES.entry + id.length)
  }

  #evaluate(program: Program, value: unknown, shared: Shared): Outcome {
    const visit = this.#compiled.get(program)
    try {
      return visit(undefined, startRun(value, this.#limits, shared))
    } catch (error) {
      return limitError(error)
    }
  }
}

/** Equal texts of different dialects are different expressions. */
function sharedBy({ dialect }: Program, all: Map<Dialect, Shared>): Shared {
  const known = all.get(dialect)
  if (known) return known
  const shared: Shared = new Map()
  all.set(dialect, shared)
  return shared
}

/** Measured: `npm run bench -- matching`. */
const BYTES = { entry: 150, program: 500 }

function sizeOf({ source, text }: Program): number {
  return BYTES.program + source.length + text.length
}
