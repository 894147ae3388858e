/**
 * The expression language of Pacifica subscriptions and routes: JSONPath in two dialects. What it means is told in the
 * package's own README.
 * @packageDocumentation
 */
export {
  type CompiledPath,
  type CompileOptions,
  compile,
  type Measured,
} from './compile/compile.ts'
export {
  JsonPathLimitError,
  JsonPathSyntaxError,
  type Limit,
  type Position,
  positionAt,
} from './errors.ts'
export { evaluate } from './evaluate.ts'
export { type Explanation, explain, UNEXPLAINED } from './explain/explain.ts'
export type { FailedClause, OperandValues } from './explain/failed-clause.ts'
export type { Found } from './explain/found.ts'
export { EXPRESSION_LIMITS, PATTERN_LIMITS, WORK_LIMITS, type WorkLimits } from './limits.ts'
export { type Dialect, type ParseOptions, parse } from './parse.ts'
export {
  SubscriptionIndex,
  type SubscriptionIndexOptions,
} from './subscription-index/subscription-index.ts'
export { SubscriptionScan } from './subscription-index/subscription-scan.ts'
export type {
  ExpressionOptions,
  MatchOptions,
  SubscriptionStats,
  Subscriptions,
  SubscriptionsOptions,
} from './subscription-index/subscriptions.ts'
export { type Part, unindexedPart } from './subscription-index/unindexed.ts'
export type { Root } from './syntax/parser.ts'
export { print, printExpression } from './syntax/print.ts'
export type {
  Bare,
  Call,
  Comparable,
  Comparison,
  Expression,
  Filter,
  FunctionCall,
  Index,
  Json,
  Literal,
  Name,
  Not,
  Operand,
  Operator,
  Path,
  Relation,
  RelationOperator,
  Slice,
  Span,
  Step,
  Sub,
  Subpath,
  Test,
  Variadic,
  Where,
  Wildcard,
} from './syntax/tree.ts'
export type { Warning } from './warnings/warning.ts'
