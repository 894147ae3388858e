/** One walk over an event, along the shapes that are asked for, to the postings that it reaches. */

import {
  asNumber,
  childrenOf,
  isContainer,
  isList,
  type List,
  type Members,
} from '../../values/kinds.ts'
import { normalScalar } from '../conditions/atom.ts'
import { normalText } from '../conditions/normal-text.ts'
import type { Node } from './node.ts'
import type { Posting } from './posting.ts'
import type { Table } from './table.ts'

/** Up to so many names are looked for in an object; with more, its keys are looked up. */
const FEW_NAMES = 6

export interface Walk {
  readonly epoch: number
  readonly found: (posting: Posting) => void
}

/** Invariant: recursion is as deep as the trie, never as deep as the event. */
export function walk(node: Node, value: unknown, way: Walk): void {
  if (node.exists) way.found(node.exists)
  if (!isContainer(value)) walkScalar(node, value, way)
  else walkContainer(node, value, way)
  if (node.deep) walkDeep(node.deep, value, way)
}

function walkScalar(node: Node, value: unknown, way: Walk): void {
  if (node.equals) {
    const scalar = normalScalar(value)
    const posting = scalar === undefined ? undefined : node.equals.get(scalar)
    if (posting) way.found(posting)
  }
  if (!node.above && !node.below) return
  const number = asNumber(value)
  if (number === undefined) return
  node.above?.reach(number, way.epoch, way.found)
  node.below?.reach(number, way.epoch, way.found)
}

function walkContainer(node: Node, value: List | Members, way: Walk): void {
  if (node.same) {
    const text = normalText(value, node.sameMost)
    const posting = text === undefined ? undefined : node.same.get(text)
    if (posting) way.found(posting)
  }
  if (node.any) for (const child of childrenOf(value)) walk(node.any, child, way)
  if (!isList(value)) walkMembers(node, value, way)
}

function walkMembers(node: Node, value: Members, way: Walk): void {
  if (node.templates) {
    for (const template of node.templates) {
      const posting = template.find(value)
      if (posting) way.found(posting)
    }
  }
  if (node.names) walkNames(node.names, value, way)
}

function walkNames(names: Table<string, Node>, value: Members, way: Walk): void {
  if (names.size <= FEW_NAMES) {
    for (const [name, node] of names.entries()) {
      if (Object.hasOwn(value, name)) walk(node, value[name], way)
    }
    return
  }
  for (const name of Object.keys(value)) {
    const node = names.get(name)
    if (node) walk(node, value[name], way)
  }
}

/** The value and everything inside it, however deep. */
function walkDeep(node: Node, value: unknown, way: Walk): void {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    walk(node, next, way)
    if (isContainer(next)) for (const child of childrenOf(next)) open.push(child)
  }
}
