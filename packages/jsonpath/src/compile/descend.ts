/**
 * `..`: the value, then everything inside it, parents first. The places still open stand in an array
 * of ours, not on the call stack, whatever is nested in the value or in the expression.
 */

import { childrenOf } from '../values/kinds.ts'
import type { Mode } from './compiler.ts'
import { type Memory, memoryAt, note } from './remember.ts'
import type { Run, Visit } from './run.ts'

/** A node some of whose children are still to be visited. */
interface Open {
  readonly node: unknown
  readonly children: readonly unknown[]
  readonly foundBefore: number
  at: number
}

interface Descent {
  readonly visit: Visit
  readonly mode: Mode
  readonly memory: Memory | undefined
  readonly open: Open[]
}

/** With a slot, a node is searched once in a run, however many descents come past it. */
export function descend(visit: Visit, mode: Mode, slot: number | undefined): Visit {
  return (value, run) => {
    const memory = slot === undefined ? undefined : memoryAt(slot, run)
    return search({ visit, mode, memory, open: [] }, value, run)
  }
}

function search(descent: Descent, start: unknown, run: Run): boolean {
  let node = start
  for (;;) {
    if (arrive(descent, node, run)) return succeed(descent, node)
    const top = nextOpen(descent, run)
    if (top === undefined) return false
    node = top.children[top.at]
    top.at += 1
  }
}

/** Visits a node and opens it, unless it is known already. */
function arrive({ visit, memory, open }: Descent, node: unknown, run: Run): boolean {
  const known = memory?.get(node)
  if (known !== undefined) return known
  run.work.spend(1)
  const foundBefore = run.found.length
  if (visit(node, run)) return true
  const children = childrenOf(node)
  if (children.length === 0) return false
  run.work.enter(open.length + 1)
  open.push({ node, children, foundBefore, at: 0 })
  return false
}

/** Closes the nodes that are done; the innermost that is not, or undefined at the end. */
function nextOpen({ open, memory, mode }: Descent, run: Run): Open | undefined {
  for (;;) {
    const top = open.at(-1)
    if (top === undefined || top.at < top.children.length) return top
    open.pop()
    if (memory) note(memory, top.node, false, mode, top.foundBefore, run)
  }
}

function succeed({ memory, open }: Descent, node: unknown): true {
  memory?.set(node, true)
  for (const { node: outer } of open) memory?.set(outer, true)
  return true
}
