/**
 * The work that one expression may do on one value. Every loop that the value's size drives spends
 * steps here; the value's nodes are counted only when the first 20,000 steps were not enough.
 */

import { JsonPathLimitError } from './errors.ts'
import type { WorkLimits } from './limits.ts'
import { isContainer, isList } from './values/kinds.ts'

export class Work {
  readonly depth: number
  readonly #root: unknown
  readonly #limits: WorkLimits
  #left: number
  #granted: number
  #extended = false

  constructor(root: unknown, limits: WorkLimits) {
    this.depth = limits.depth
    this.#root = root
    this.#limits = limits
    this.#granted = Math.min(limits.baseSteps, limits.maxSteps)
    this.#left = this.#granted
  }

  /** Steps spent so far. */
  get spent(): number {
    return this.#granted - this.#left
  }

  /** Spends steps; throws a JsonPathLimitError when there are none left. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) this.#extend()
  }

  /** What is inside `level` arrays and objects is about to be visited. */
  enter(level: number): void {
    if (level > this.depth) throw new JsonPathLimitError('depth', this.depth)
  }

  #extend(): void {
    const { baseSteps, stepsPerNode, maxSteps } = this.#limits
    if (!this.#extended && maxSteps > baseSteps) {
      this.#extended = true
      const useful = Math.ceil((maxSteps - baseSteps) / stepsPerNode)
      const further = countNodes(this.#root, useful) * stepsPerNode
      const granted = Math.min(further, maxSteps - baseSteps)
      this.#granted += granted
      this.#left += granted
    }
    if (this.#left < 0) throw new JsonPathLimitError('steps', this.#budget())
  }

  #budget(): number {
    const { baseSteps, stepsPerNode, maxSteps } = this.#limits
    const useful = Math.ceil(maxSteps / stepsPerNode)
    return Math.min(baseSteps + countNodes(this.#root, useful) * stepsPerNode, maxSteps)
  }
}

/** The values in a value, itself included, but no more than `most`. Never recurses. */
export function countNodes(root: unknown, most: number): number {
  let count = 1
  const open: unknown[] = [root]
  while (open.length > 0 && count < most) {
    const value = open.pop()
    if (!isContainer(value)) continue
    const children = isList(value) ? value : Object.values(value)
    count += children.length
    for (const child of children) if (isContainer(child)) open.push(child)
  }
  return Math.min(count, most)
}
