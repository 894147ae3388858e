/** What can stand in brackets, each as a closure that goes on to `next`. */

import type { Filter, Index, Name, Sub, Subpath, Where } from '../syntax/tree.ts'
import { asInteger, isContainer, isList, isMembers } from '../values/kinds.ts'
import { type Range, sliceRange, spanRange } from '../values/slice.ts'
import { call } from './call.ts'
import type { Compiler, Mode } from './compiler.ts'
import type { Run, Visit } from './run.ts'

export function visitSub(compiler: Compiler, sub: Sub, next: Visit, mode: Mode): Visit {
  switch (sub.kind) {
    case 'name':
      return name(sub, next)
    case 'index':
      return index(sub, next)
    case 'slice':
      return range((length) => sliceRange(sub, length), next)
    case 'span':
      return range((length) => spanRange(sub, length), next)
    case 'wildcard':
      return wildcard(next)
    case 'filter':
      return filter(compiler, sub, next)
    case 'where':
      return where(compiler, sub, next)
    case 'subpath':
      return subpath(compiler, sub, next, mode)
    case 'call':
      return call(compiler, sub, next, mode)
  }
}

/** `[a,b]`: all of a, then all of b. */
export function union(visits: readonly Visit[]): Visit {
  return (value, run) => {
    for (const visit of visits) {
      run.work.spend(1)
      if (visit(value, run)) return true
    }
    return false
  }
}

function name({ name }: Name, next: Visit): Visit {
  return (value, run) => isMembers(value) && Object.hasOwn(value, name) && next(value[name], run)
}

function index({ index }: Index, next: Visit): Visit {
  return (value, run) => visitElement(value, index, next, run)
}

function visitElement(value: unknown, index: number, next: Visit, run: Run): boolean {
  if (!isList(value)) return false
  const at = index < 0 ? index + value.length : index
  return at >= 0 && at < value.length && next(value[at], run)
}

function range(rangeOf: (length: number) => Range, next: Visit): Visit {
  return (value, run) => {
    if (!isList(value)) return false
    const { first, step, count } = rangeOf(value.length)
    for (let nth = 0; nth < count; nth += 1) {
      run.work.spend(1)
      if (next(value[first + nth * step], run)) return true
    }
    return false
  }
}

function wildcard(next: Visit): Visit {
  return (value, run) => {
    if (!isContainer(value)) return false
    for (const child of isList(value) ? value : Object.values(value)) {
      run.work.spend(1)
      if (next(child, run)) return true
    }
    return false
  }
}

function filter(compiler: Compiler, { expression }: Filter, next: Visit): Visit {
  const test = compiler.expression(expression)
  return (value, run) => test(value, run) && next(value, run)
}

function where(compiler: Compiler, { expression }: Where, next: Visit): Visit {
  const test = compiler.expression(expression)
  return (value, run) => {
    if (!isContainer(value)) return false
    for (const child of isList(value) ? value : Object.values(value)) {
      run.work.spend(1)
      if (test(child, run) && next(child, run)) return true
    }
    return false
  }
}

function subpath(compiler: Compiler, { path }: Subpath, next: Visit, mode: Mode): Visit {
  const keys = compiler.collect(path, mode)
  return (value, run) => {
    if (!isContainer(value)) return false
    for (const key of keys(value, run)) {
      run.work.spend(1)
      if (visitKey(value, key, next, run)) return true
    }
    return false
  }
}

function visitKey(value: unknown, key: unknown, next: Visit, run: Run): boolean {
  if (typeof key === 'string') {
    return isMembers(value) && Object.hasOwn(value, key) && next(value[key], run)
  }
  const at = asInteger(key)
  return at !== undefined && visitElement(value, at, next, run)
}
