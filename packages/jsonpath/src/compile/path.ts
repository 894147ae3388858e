/**
 * A path as a chain of visits, built from its end: each step calls the next one for every value it
 * selects, depth first, so that values come in the dialect's order and a test stops at the first.
 */

import type { Path, Step } from '../syntax/tree.ts'
import type { Compiler, Mode, PathOptions } from './compiler.ts'
import { descend } from './descend.ts'
import { forgetting, remember } from './remember.ts'
import { type Collect, keep, type Visit } from './run.ts'
import { union, visitSub } from './subs.ts'

export function visitPath(
  compiler: Compiler,
  path: Path,
  last: Visit,
  { mode, fresh }: PathOptions,
): Visit {
  const slots: number[] = []
  const slot = (): number => {
    const made = compiler.slot()
    slots.push(made)
    return made
  }
  const overlaps = overlapBefore(path)
  const visit = path.steps.reduceRight<Visit>((next, step, at) => {
    const repeated = repeats(step) && at < path.steps.length - 1
    const onward = repeated ? remember(next, slot(), mode) : next
    const here = visitStep(compiler, step, onward, mode)
    return step.descends ? descend(here, mode, overlaps[at] ? slot() : undefined) : here
  }, last)
  const started: Visit = path.origin === '$' ? (_current, run) => visit(run.root, run) : visit
  return fresh ? forgetting(started, slots) : started
}

function visitStep(compiler: Compiler, step: Step, next: Visit, mode: Mode): Visit {
  const visits = step.subs.map((sub) => visitSub(compiler, sub, next, mode))
  return visits.length === 1 && visits[0] ? visits[0] : union(visits)
}

/** The step can select the same node twice. */
function repeats(step: Step): boolean {
  if (step.subs.length > 1) return true
  return step.subs.some(
    (sub) => sub.kind === 'subpath' || (sub.kind === 'call' && sub.args.length > 0),
  )
}

/**
 * For each step: can it be entered with nodes that lie inside one another? A `$` path starts once in
 * a run (its result is kept), an `@` path at many nodes.
 */
function overlapBefore(path: Path): boolean[] {
  let overlap = path.origin === '@'
  return path.steps.map((step) => {
    const before = overlap
    overlap ||= step.descends || repeats(step)
    return before
  })
}

/** The path's values as a list; remembers no more than one collection at a time. */
export function collectPath(compiler: Compiler, path: Path, mode: Mode): Collect {
  const visit = compiler.path(path, keep, { mode, fresh: mode === 'exists' })
  return (current, run) => {
    const outer = run.found
    const found: unknown[] = []
    run.found = found
    visit(current, run)
    run.found = outer
    return found
  }
}
