/** A function call: once for each way to take one value of every argument, the last varying fastest. */

import { argumentOf, functionOf } from '../functions/table.ts'
import type { Call, Operand } from '../syntax/tree.ts'
import type { Compiler, Mode } from './compiler.ts'
import { type Collect, never, type Visit } from './run.ts'

export function call(compiler: Compiler, call: Call, next: Visit, mode: Mode): Visit {
  const applied = functionOf(call)
  if (!applied) return never
  const choices = call.args.map((arg) => argument(compiler, arg, mode))
  return (value, run) => {
    const lists = choices.map((choice) => choice(value, run))
    return someRow(lists, [], (row) => {
      run.work.spend(1)
      const result = applied.apply(value, row, run.work)
      return result !== undefined && next(result, run)
    })
  }
}

function argument(compiler: Compiler, operand: Operand, mode: Mode): Collect {
  if (operand.kind === 'path') return compiler.collect(operand, mode)
  const values = [argumentOf(operand)]
  return () => values
}

/** Takes the rows that begin with `row`, until one is accepted. */
function someRow(
  lists: readonly (readonly unknown[])[],
  row: readonly unknown[],
  take: (row: readonly unknown[]) => boolean,
): boolean {
  const list = lists[row.length]
  return list ? list.some((value) => someRow(lists, [...row, value], take)) : take(row)
}
