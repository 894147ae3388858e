/** Arrays and objects as texts that are equal when the values are, as the dialect's `=` has it. */

import { EXPRESSION_LIMITS } from '../../limits.ts'
import { isContainer, isList } from '../../values/kinds.ts'
import { normalScalar } from './atom.ts'

interface Budget {
  nodes: number
}

/** Undefined when there are more values inside than `most`: what is larger equals no literal. */
export function normalText(value: unknown, most: number): string | undefined {
  return textOf(value, { nodes: most })
}

function textOf(value: unknown, budget: Budget): string | undefined {
  budget.nodes -= 1
  if (budget.nodes < 0) return undefined
  if (typeof value === 'string' && value.length > EXPRESSION_LIMITS.length) return undefined
  if (!isContainer(value)) return scalarText(value)
  const size = isList(value) ? value.length : Object.keys(value).length
  if (size > budget.nodes) return undefined
  return isList(value) ? listText(value, budget) : membersText(value, budget)
}

function listText(list: readonly unknown[], budget: Budget): string | undefined {
  const items: string[] = []
  for (const item of list) {
    const text = textOf(item, budget)
    if (text === undefined) return undefined
    items.push(text)
  }
  return `[${items.join(',')}]`
}

function membersText(
  members: { readonly [key: string]: unknown },
  budget: Budget,
): string | undefined {
  const pairs: string[] = []
  for (const key of Object.keys(members).sort()) {
    const text = textOf(members[key], budget)
    if (text === undefined) return undefined
    pairs.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${pairs.join(',')}}`
}

function scalarText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(normalScalar(value))
}
