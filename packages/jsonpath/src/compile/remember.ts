/**
 * Memory within one run. `$` followed by six `..*` reaches the same node in as many ways as there
 * are paths to it; each step looks behind each node once.
 *
 * Invariant: what follows a step is a function of (root, value) alone, or its slots are cleared
 * before each evaluation (PathOptions.fresh).
 */

import { isContainer } from '../values/kinds.ts'
import type { Mode } from './compiler.ts'
import type { Run, Test, Visit } from './run.ts'

/** For each value already visited: whether the search behind it ended in success. */
export type Memory = Map<unknown, boolean>

export function memoryAt(slot: number, run: Run): Memory {
  const known = run.slots[slot] as Memory | undefined
  if (known) return known
  const memory: Memory = new Map()
  run.slots[slot] = memory
  return memory
}

/** Notes a visit that is over; with `every`, only if nothing was found since `foundBefore`. */
export function note(
  memory: Memory,
  value: unknown,
  result: boolean,
  mode: Mode,
  foundBefore: number,
  run: Run,
): void {
  if (mode === 'exists' || run.found.length === foundBefore) memory.set(value, result)
}

/** The same visit, but once for each value. */
export function remember(next: Visit, slot: number, mode: Mode): Visit {
  return (value, run) => {
    const memory = memoryAt(slot, run)
    const known = memory.get(value)
    if (known !== undefined) return known
    run.work.spend(1)
    const before = run.found.length
    const result = next(value, run)
    note(memory, value, result, mode, before, run)
    return result
  }
}

/** The same test, but once for each array or object. */
export function rememberTest(test: Test, slot: number): Test {
  return (current, run) => {
    if (!isContainer(current)) return test(current, run)
    const memory = memoryAt(slot, run)
    const known = memory.get(current)
    if (known !== undefined) return known
    const result = test(current, run)
    memory.set(current, result)
    return result
  }
}

/** Forgets what these slots hold before each evaluation. */
export function forgetting(visit: Visit, slots: readonly number[]): Visit {
  if (slots.length === 0) return visit
  return (value, run) => {
    for (const slot of slots) run.slots[slot] = undefined
    return visit(value, run)
  }
}
