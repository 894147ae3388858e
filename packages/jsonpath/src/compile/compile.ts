/** The public face of the compiler: an expression once compiled, then tested on any number of values. */

import { WORK_LIMITS, type WorkLimits } from '../limits.ts'
import { type Dialect, parseAs } from '../parse.ts'
import type { Root } from '../syntax/parser.ts'
import { print } from '../syntax/print.ts'
import type { Path } from '../syntax/tree.ts'
import type { Warning } from '../warnings/warning.ts'
import { warningsOf } from '../warnings/warnings.ts'
import type { Compiler, Mode } from './compiler.ts'
import { Constants, scopeOf } from './constant.ts'
import { testFilter } from './expression.ts'
import { collectPath, visitPath } from './path.ts'
import { keep, startRun, stop, type Visit } from './run.ts'

/** How an expression is read, and what it may cost. */
export interface CompileOptions {
  /** Default: `jsonpath2`. */
  readonly dialect?: Dialect
  /** `optional`, as subscriptions have it, reads `data` as `$.data`. Default: `strict`. */
  readonly root?: Root
  /** Bounds on the work on one value, where they shall differ from WORK_LIMITS. */
  readonly limits?: Partial<WorkLimits>
}

/** What `measure` has found. */
export interface Measured {
  /** Whether the expression selects anything. */
  readonly matches: boolean
  /** The work that it took, in the unit of WORK_LIMITS. */
  readonly steps: number
}

/** An expression ready to be matched. It holds no state of a match: one can be used everywhere. */
export interface CompiledPath {
  /** As it was given; of a tree, as `print` writes it. */
  readonly text: string
  /** The language that it is written in. */
  readonly dialect: Dialect
  /** Its syntax tree. */
  readonly path: Path
  /** What is legal in it and probably not meant. */
  readonly warnings: readonly Warning[]
  /**
   * Does it select anything? Stops at the first value. Throws JsonPathLimitError only.
   * @param value a JSON value, as `JSON.parse` returns it; nothing else is looked at or called
   */
  test(value: unknown): boolean
  /**
   * As `test`, with the steps that it took: what WORK_LIMITS bounds.
   * @param value a JSON value, as `JSON.parse` returns it
   */
  measure(value: unknown): Measured
  /**
   * Everything it selects, in order, duplicates kept. Throws JsonPathLimitError only.
   * @param value a JSON value, as `JSON.parse` returns it
   */
  select(value: unknown): unknown[]
}

/**
 * Compiles an expression, or the tree that `parse` made of one.
 * Throws a JsonPathSyntaxError, or a JsonPathLimitError when it is too long, too deep or too large.
 * @param source the text, or the tree that `parse` made of one
 * @param options the dialect, the form of the root, and bounds
 * @example
 * ```ts
 * import { compile } from '@pacifica/jsonpath'
 *
 * const ingested = compile('$[?(@.eventType = "org.pacifica.metadata.ingest")]')
 * console.log(ingested.test({ eventType: 'org.pacifica.metadata.ingest' })) // true
 * ```
 */
export function compile(source: string | Path, options: CompileOptions = {}): CompiledPath {
  const { dialect = 'jsonpath2', root = 'strict' } = options
  const { path, mixed } =
    typeof source === 'string' ? parseAs(dialect, source, root) : { path: source, mixed: [] }
  const limits = { ...WORK_LIMITS, ...options.limits }
  const test = lazily(() => program(path, stop, 'exists'))
  const select = lazily(() => program(path, keep, 'every'))
  return {
    text: typeof source === 'string' ? source : print(source, dialect),
    dialect,
    path,
    warnings: warningsOf(path, mixed, dialect),
    test: (value) => test()(value, startRun(value, limits)),
    measure(value) {
      const run = startRun(value, limits)
      return { matches: test()(value, run), steps: run.work.spent }
    },
    select(value) {
      const run = startRun(value, limits)
      select()(value, run)
      return run.found
    },
  }
}

/** The whole expression as one visit of the document. */
export function program(path: Path, last: Visit, mode: Mode): Visit {
  let slots = 0
  const constants = new Constants()
  const slot = () => slots++
  const compiler: Compiler = {
    slot,
    path: (inner, visit, options) => visitPath(compiler, inner, visit, options),
    expression: (expression) => testFilter(compiler, expression),
    collect(inner, collectMode) {
      const make = () => collectPath(compiler, inner, collectMode)
      if (inner.origin === '@') return make()
      return compiler.constant(`all ${collectMode} ${print(inner)}`, scopeOf(inner), make)
    },
    constant: (key, scope, make) => constants.get(key, scope, slot, make),
  }
  return compiler.path(path, last, { mode, fresh: false })
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
