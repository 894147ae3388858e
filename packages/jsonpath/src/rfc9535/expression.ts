/** Conditions of RFC 9535, and what a function may be given: the check that they are well-typed. */

import { JsonPathLimitError } from '../errors.ts'
import { isSingular } from '../syntax/singular.ts'
import type {
  Comparable,
  Expression,
  FunctionCall,
  Literal,
  Path,
  RelationOperator,
  Variadic,
} from '../syntax/tree.ts'
import type { Cursor } from './cursor.ts'
import { FUNCTIONS, isFunction } from './functions.ts'
import { functionHint } from './hints.ts'
import { checkPattern } from './i-regexp.ts'
import { literal } from './literal.ts'

export interface Conditions {
  readonly cursor: Cursor
  readonly mixed: number[]
  /** A path, from `$` or `@` on. */
  readonly query: () => Path
}

const COMPARABLE = "a path ('$' or '@'), a string, a number, true, false, null or a function"
const OPERATORS: readonly RelationOperator[] = ['==', '!=', '<=', '>=', '<', '>']

/** logical := and (S '||' S and)*        and := basic (S '&&' S basic)* */
export function logical(conditions: Conditions): Expression {
  const { cursor } = conditions
  const groups = [conjunction(conditions)]
  while (cursor.acceptAfterSpace('||')) {
    cursor.space()
    groups.push(conjunction(conditions))
  }
  const tight = groups.find((terms) => terms.length > 1)
  if (tight?.[0] && groups.length > 1) conditions.mixed.push(tight[0].offset)
  return variadic(
    cursor,
    'or',
    groups.map((terms) => variadic(cursor, 'and', terms)),
  )
}

function conjunction(conditions: Conditions): Expression[] {
  const { cursor } = conditions
  const terms = [basic(conditions)]
  while (cursor.acceptAfterSpace('&&')) {
    cursor.space()
    terms.push(basic(conditions))
  }
  return terms
}

function variadic(cursor: Cursor, kind: 'and' | 'or', terms: readonly Expression[]): Expression {
  const [first] = terms
  if (first && terms.length === 1) return first
  const flat = terms.flatMap((term) => (term.kind === kind ? term.terms : [term]))
  return cursor.node<Variadic>({ kind, terms: flat, offset: first?.offset ?? 0 })
}

/** basic := '!' S (parentheses | query | function) | parentheses | comparison | query | function */
function basic(conditions: Conditions): Expression {
  const { cursor } = conditions
  const offset = cursor.at
  if (cursor.sees('(')) return parentheses(conditions)
  if (!cursor.accept('!')) return comparisonOrTest(conditions)
  cursor.space()
  const term = cursor.nested(() => {
    return cursor.sees('(')
      ? parentheses(conditions)
      : asTest(conditions, comparable(conditions), offset)
  })
  return cursor.node({ kind: 'not', term, offset })
}

/** parentheses := '(' S logical S ')' */
function parentheses(conditions: Conditions): Expression {
  const { cursor } = conditions
  return cursor.nested(() => {
    cursor.expect('(', "'('")
    cursor.space()
    const inner = logical(conditions)
    cursor.space()
    cursor.expect(')', "'&&', '||' or ')'")
    return inner
  })
}

/** comparison := comparable S operator S comparable */
function comparisonOrTest(conditions: Conditions): Expression {
  const { cursor } = conditions
  const offset = cursor.at
  const left = comparable(conditions)
  const before = cursor.at
  cursor.space()
  const operator = OPERATORS.find((each) => cursor.accept(each))
  if (operator === undefined) {
    cursor.at = before
    return asTest(conditions, left, offset)
  }
  requireValue(cursor, left, `a comparison ('${operator}')`)
  cursor.space()
  const right = comparable(conditions)
  requireValue(cursor, right, `a comparison ('${operator}')`)
  return cursor.node({ kind: 'relation', operator, left, right, offset })
}

/** comparable := literal | query | function */
function comparable(conditions: Conditions): Comparable {
  const { cursor } = conditions
  if (cursor.sees('$') || cursor.sees('@')) return conditions.query()
  return functionCall(conditions) ?? literal(cursor) ?? cursor.fail(COMPARABLE)
}

/** What stands alone: a path that selects something, a function that says yes. */
function asTest({ cursor }: Conditions, tested: Comparable, offset: number): Expression {
  if (tested.kind === 'path') return cursor.node({ kind: 'bare', operand: tested, offset })
  const alone = tested.kind === 'literal' ? undefined : tested
  if (alone && FUNCTIONS[alone.name].gives === 'logical')
    return cursor.node({ kind: 'test', call: alone, offset })
  cursor.space()
  const problem = alone ? `${alone.name}() is a value` : 'a literal is a value'
  throw cursor.error(`${problem}, not a condition`, {
    expected: 'a comparison',
    offset: cursor.at,
    ...(alone ? { hint: `compare it, as in ${alone.name}(...) > 0` } : {}),
  })
}

function requireValue(cursor: Cursor, node: Comparable, what: string): void {
  const { offset } = node
  const expected = 'one value'
  if (node.kind === 'path' && !isSingular(node)) {
    throw cursor.error(`${what} takes paths of names and indices`, {
      expected,
      offset,
      hint: 'to ask whether one of several values fits, write a filter for it: $[?$.list[?@ == 1]]',
    })
  }
  if (node.kind === 'function' && FUNCTIONS[node.name].gives !== 'value') {
    const { name } = node
    const hint = `${name}() is a condition by itself: leave the comparison out, or write !${name}(...)`
    throw cursor.error(`${name}() cannot be compared`, {
      ...{ expected, offset, hint },
      code: 'JSONPATH_FUNCTION',
    })
  }
}

const FUNCTION_NAME = /[a-z][a-z_0-9]*(?=\()/y

/** function := function-name '(' S (argument (S ',' S argument)*)? S ')' */
function functionCall(conditions: Conditions): FunctionCall | undefined {
  const { cursor } = conditions
  const offset = cursor.at
  const name = cursor.take(FUNCTION_NAME)
  if (name === undefined) return undefined
  const known = Object.keys(FUNCTIONS)
  if (!isFunction(name)) {
    throw cursor.error(`there is no function '${name}'`, {
      expected: `one of ${known.join(', ')}`,
      offset,
      hint: functionHint(name),
      code: 'JSONPATH_FUNCTION',
    })
  }
  const args = cursor.nested(() => parseArguments(conditions))
  checkArguments(cursor, { name, args, offset })
  return cursor.node({ kind: 'function', name, args, offset })
}

function parseArguments(conditions: Conditions): Comparable[] {
  const { cursor } = conditions
  const args: Comparable[] = []
  cursor.expect('(', "'('")
  if (cursor.acceptAfterSpace(')')) return args
  do {
    cursor.space()
    args.push(comparable(conditions))
  } while (cursor.acceptAfterSpace(','))
  cursor.space()
  cursor.expect(')', "',' or ')'")
  return args
}

type Called = Pick<FunctionCall, 'name' | 'args' | 'offset'>

function checkArguments(cursor: Cursor, { name, args, offset }: Called): void {
  const { takes } = FUNCTIONS[name]
  const code = 'JSONPATH_FUNCTION'
  if (args.length !== takes.length) {
    const problem = `${name}() takes ${takes.length === 1 ? 'one argument' : `${takes.length} arguments`}`
    throw cursor.error(`${problem}, not ${args.length}`, {
      ...{ expected: `${takes.length} of them`, offset, code },
    })
  }
  for (const [at, arg] of args.entries()) {
    if (takes[at] === 'value') requireValue(cursor, arg, `${name}()`)
    else if (arg.kind !== 'path') {
      throw cursor.error(`${name}() takes a path`, {
        ...{ expected: "a path ('$' or '@')", offset: arg.offset, code },
      })
    }
  }
  const pattern = args[1]
  if (pattern?.kind === 'literal') checkLiteral(cursor, pattern)
}

/** A pattern beyond the limits is refused here, where it is written, and not for each value. */
function checkLiteral(cursor: Cursor, { value, offset }: Literal): void {
  if (typeof value !== 'string') return
  try {
    checkPattern(value)
  } catch (error) {
    throw error instanceof JsonPathLimitError ? cursor.limit(error, offset) : error
  }
}
