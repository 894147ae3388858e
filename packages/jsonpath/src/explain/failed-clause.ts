/**
 * Why an expression selects nothing: the first clause that nothing passed, and what stood there. Found by asking
 * questions of the same language: a path's steps one after the other, a filter's conditions as filters one after the
 * other. So the answer cannot disagree with the match itself. Pure.
 */
import { type CompiledPath, compile } from '../compile/compile.ts'
import { JsonPathLimitError } from '../errors.ts'
import type { Dialect } from '../parse.ts'
import { print, printExpression } from '../syntax/print.ts'
import type { Comparable, Expression, Path, Step, Where } from '../syntax/tree.ts'
import { type Found, inShort } from './found.ts'

/** What a path in a comparison selected. */
export interface OperandValues {
  /** The path, in canonical form. */
  readonly path: string
  /** How many values it selected. */
  readonly count: number
  /** The first of them. */
  readonly values: readonly Found[]
}

/** The part of an expression after which nothing is left. */
export interface FailedClause {
  /** In canonical form. */
  readonly clause: string
  /** Where it begins in the expression as given, in UTF-16 units. */
  readonly offset: number
  /** What is wrong there, in words. */
  readonly message: string
  /** What had been reached before it, as a canonical path. */
  readonly reached: string
  /** How many values stood there. */
  readonly count: number
  /** The first of them. */
  readonly found: readonly Found[]
  /** For a comparison: what its paths selected there. */
  readonly operands: readonly OperandValues[]
  /** For `or`: why each alternative failed. For a path in a filter: where it ended. */
  readonly because: readonly FailedClause[]
}

const MOST_FOUND = 5
const MOST_BRANCHES = 20
/** Questions asked of one event, and the steps that each may take: an explanation costs no more than a few matches. */
const MOST_QUESTIONS = 200
const STEPS_OF_A_QUESTION = 500_000

/** Answers `undefined` when there was too much to look at. */
export function failedClause(expression: CompiledPath, value: unknown): FailedClause | undefined {
  const document = ask(value, expression.dialect)
  try {
    return failedStep(document, [], expression.path.steps)
  } catch (error) {
    if (error instanceof JsonPathLimitError || error instanceof TooManyQuestions) return undefined
    throw error
  }
}

/** The explanation's own budget is used up; never leaves this file. */
class TooManyQuestions extends Error {}

/** What these steps select from the root; and in which dialect to speak of them. */
type Ask = ((steps: readonly Step[]) => readonly unknown[]) & { readonly dialect: Dialect }

function ask(root: unknown, dialect: Dialect): Ask {
  let questions = 0
  const select = (steps: readonly Step[]): readonly unknown[] => {
    questions += 1
    if (questions > MOST_QUESTIONS) throw new TooManyQuestions()
    if (steps.length === 0) return [root]
    return compile(pathOf(steps), { limits: { maxSteps: STEPS_OF_A_QUESTION } }).select(root)
  }
  return Object.assign(select, { dialect })
}

/** The first step after which nothing is left; undefined when the path selects something. */
function failedStep(
  document: Ask,
  reached: readonly Step[],
  steps: readonly Step[],
): FailedClause | undefined {
  const failing = firstEmpty(document, reached, steps)
  const step = steps[failing]
  return step && atStep(document, [...reached, ...steps.slice(0, failing)], step)
}

/** Once nothing is left, nothing comes back: so the first such step is found by halving. */
function firstEmpty(document: Ask, reached: readonly Step[], steps: readonly Step[]): number {
  let good = 0
  let empty = steps.length + 1
  while (empty - good > 1) {
    const middle = Math.floor((good + empty) / 2)
    if (document([...reached, ...steps.slice(0, middle)]).length > 0) good = middle
    else empty = middle
  }
  return good
}

function atStep(document: Ask, reached: readonly Step[], step: Step): FailedClause {
  const [only, ...others] = step.subs
  if (only?.kind === 'where' && others.length === 0) return atWhere(document, reached, step, only)
  if (only?.kind !== 'filter' || others.length > 0)
    return clause(document, reached, {
      ...textOf(step, document.dialect),
      message: stepMessage(document, reached, step),
    })
  const searched = step.descends ? [...reached, everything(step.offset)] : reached
  return atExpression(document, searched, only.expression)
}

/** rfc9535: the filter asks the children, if there are any. */
function atWhere(
  document: Ask,
  reached: readonly Step[],
  { descends, offset }: Step,
  { expression }: Where,
): FailedClause {
  const children: Step = { descends, subs: [{ kind: 'wildcard', offset }], offset }
  return (
    failedStep(document, reached, [children]) ??
    atExpression(document, [...reached, children], expression)
  )
}

function stepMessage(document: Ask, reached: readonly Step[], step: Step): string {
  const [only, ...others] = step.subs
  const here = step.descends ? 'in or below what stood here' : 'here'
  if (only?.kind !== 'name' || others.length > 0) return `this selects nothing ${here}`
  const name = JSON.stringify(only.name)
  const lists = !step.descends && document(reached).every(Array.isArray)
  if (lists)
    return `a list stood here, which has no member ${name}; [*] selects the items of a list`
  return `there is no member ${name} ${here}`
}

/** An expression that holds for nothing that was reached. */
function atExpression(
  document: Ask,
  reached: readonly Step[],
  expression: Expression,
): FailedClause {
  const about = {
    clause: printExpression(expression, document.dialect),
    offset: expression.offset,
  }
  switch (expression.kind) {
    case 'and':
      return firstFalse(document, reached, expression.terms)
    case 'or':
      return clause(document, reached, {
        ...about,
        message: `none of these ${expression.terms.length} alternatives holds here`,
        because: expression.terms
          .slice(0, MOST_BRANCHES)
          .map((term) => atExpression(document, reached, term)),
      })
    case 'not':
      return clause(document, reached, {
        ...about,
        message: `what stands after '${document.dialect === 'rfc9535' ? '!' : 'not'}' holds for everything here`,
        operands: operandsIn(expression.term).flatMap((path) => valuesOf(document, reached, path)),
      })
    case 'comparison':
    case 'relation': {
      const paths = [expression.left, expression.right].flatMap(pathsIn)
      return atCondition(document, reached, about, paths, 'this holds for nothing here')
    }
    case 'bare':
    case 'test': {
      const paths = pathsIn(expression.kind === 'bare' ? expression.operand : expression.call)
      return atCondition(document, reached, about, paths, 'this is false for everything here')
    }
  }
}

/** Each condition narrows what the one before it has left. */
function firstFalse(
  document: Ask,
  reached: readonly Step[],
  terms: readonly Expression[],
): FailedClause {
  const filters = terms.map(filterOf)
  const failing = Math.min(firstEmpty(document, reached, filters), terms.length - 1)
  const kept = [...reached, ...filters.slice(0, failing)]
  return atExpression(document, kept, terms[failing] as Expression)
}

function atCondition(
  document: Ask,
  reached: readonly Step[],
  about: { clause: string; offset: number },
  paths: readonly Path[],
  message: string,
): FailedClause {
  const operands = paths.flatMap((path) => valuesOf(document, reached, path))
  const because = paths.flatMap(
    (path) => failedStep(document, startOf(path, reached), path.steps) ?? [],
  )
  const missing = operands.filter(({ count }) => count === 0).map(({ path }) => path)
  const why = missing.length > 0 ? `: ${missing.join(' and ')} selects nothing` : ''
  return clause(document, reached, { ...about, message: message + why, operands, because })
}

function valuesOf(document: Ask, reached: readonly Step[], path: Path): OperandValues[] {
  if (path.steps.length === 0) return []
  const selected = document([...startOf(path, reached), ...path.steps])
  const values = selected.slice(0, MOST_FOUND).map(inShort)
  return [{ path: print(path, document.dialect), count: selected.length, values }]
}

function startOf(path: Path, reached: readonly Step[]): readonly Step[] {
  return path.origin === '@' ? reached : []
}

function clause(
  document: Ask,
  reached: readonly Step[],
  about: Pick<FailedClause, 'clause' | 'offset' | 'message'> &
    Partial<Pick<FailedClause, 'operands' | 'because'>>,
): FailedClause {
  const stood = document(reached)
  return {
    clause: about.clause,
    offset: about.offset,
    message: about.message,
    reached: print(pathOf(folded(reached, document.dialect)), document.dialect),
    count: stood.length,
    found: stood.slice(0, MOST_FOUND).map(inShort),
    operands: about.operands ?? [],
    because: about.because ?? [],
  }
}

function pathOf(steps: readonly Step[]): Path {
  return { kind: 'path', origin: '$', steps, offset: 0 }
}

/** In rfc9535 a filter that has narrowed the children is written in the brackets that select them. */
function folded(steps: readonly Step[], dialect: Dialect): readonly Step[] {
  if (dialect !== 'rfc9535') return steps
  const all: Step[] = []
  for (const step of steps) {
    const [only] = step.subs
    const last = all.at(-1)
    const [children] = last?.subs ?? []
    if (only?.kind !== 'filter' || !last || !children) all.push(step)
    else all[all.length - 1] = { ...last, subs: [narrowed(children, only.expression)] }
  }
  return all
}

function narrowed(children: Step['subs'][number], term: Expression): Where {
  const { offset } = children
  const terms = children.kind === 'where' ? [children.expression, term] : [term]
  const flat = terms.flatMap((one) => (one.kind === 'and' ? one.terms : [one]))
  const expression: Expression = flat.length > 1 ? { kind: 'and', terms: flat, offset } : term
  return { kind: 'where', expression, offset }
}

/** A step alone, as `print` writes it. */
function textOf(step: Step, dialect: Dialect): { clause: string; offset: number } {
  return { clause: print(pathOf([step]), dialect).slice(1), offset: step.offset }
}

function filterOf(expression: Expression): Step {
  const { offset } = expression
  return { descends: false, subs: [{ kind: 'filter', expression, offset }], offset }
}

/** What `..` looks at: the value, and all that is inside it. */
function everything(offset: number): Step {
  const literal = { kind: 'literal', value: true, float: false, offset } as const
  const expression = { kind: 'bare', operand: literal, offset } as const
  return { descends: true, subs: [{ kind: 'filter', expression, offset }], offset }
}

function operandsIn(expression: Expression): Path[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.flatMap(operandsIn)
    case 'not':
      return operandsIn(expression.term)
    case 'comparison':
    case 'relation':
      return [expression.left, expression.right].flatMap(pathsIn)
    case 'bare':
      return pathsIn(expression.operand)
    case 'test':
      return pathsIn(expression.call)
  }
}

function pathsIn(part: Comparable): Path[] {
  if (part.kind === 'function') return part.args.flatMap(pathsIn)
  return part.kind === 'path' ? [part] : []
}
