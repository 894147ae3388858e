/** One shape, and what is asked of the values that have it. */

import type { Atom, Scalar } from '../conditions/atom.ts'
import { ANY, DEEP, type Segment, type Side } from '../conditions/condition.ts'
import { Posting } from './posting.ts'
import { type Holder, Table } from './table.ts'
import { Template } from './template.ts'
import { Thresholds } from './thresholds.ts'

/** Sets of members that one shape is asked for at most; each is looked up for each value. */
const MOST_TEMPLATES = 16

export class Node implements Holder {
  readonly #holder: Holder | undefined
  readonly #heldAs: unknown
  names: Table<string, Node> | undefined
  any: Node | undefined
  deep: Node | undefined
  exists: Posting | undefined
  equals: Table<Scalar, Posting> | undefined
  same: Table<string, Posting> | undefined
  /** No array or object that is asked for has had more values in it. */
  sameMost = 0
  above: Thresholds | undefined
  below: Thresholds | undefined
  templates: Template[] | undefined

  constructor(holder?: Holder, heldAs?: unknown) {
    this.#holder = holder
    this.#heldAs = heldAs
  }

  /** The posting of an atom, made if need be; the rest of its shape starts here. */
  posting({ shape, question }: Atom): Posting {
    return shape.reduce<Node>((node, segment) => node.#child(segment), this).#ask(question)
  }

  #child(segment: Segment): Node {
    if (segment === ANY) {
      this.any ??= new Node(this, ANY)
      return this.any
    }
    if (segment === DEEP) {
      this.deep ??= new Node(this, DEEP)
      return this.deep
    }
    this.names ??= new Table(this, 'names')
    return made(this.names, segment, (names) => new Node(names, segment))
  }

  #ask(question: Atom['question']): Posting {
    switch (question.kind) {
      case 'exists':
        this.exists ??= new Posting(this, 'exists')
        return this.exists
      case 'equals':
        return this.#equal(question.value)
      case 'same': {
        this.same ??= new Table(this, 'same')
        this.sameMost = Math.max(this.sameMost, question.nodes)
        return made(this.same, question.text, (same) => new Posting(same, question.text))
      }
      case 'ordered':
        return this.#thresholds(question.side).posting(question.limit)
      case 'members':
        return this.#members(question.names, question.values)
    }
  }

  #equal(value: Scalar): Posting {
    this.equals ??= new Table(this, 'equals')
    return made(this.equals, value, (equals) => new Posting(equals, value))
  }

  #thresholds(side: Side): Thresholds {
    this[side] ??= new Thresholds(this, side)
    return this[side]
  }

  /** Where there are too many sets of members already, the longest value alone is asked for. */
  #members(names: readonly string[], values: readonly Scalar[]): Posting {
    this.templates ??= []
    const known = this.templates.find((template) => template.isOf(names))
    if (known) return known.posting(values)
    if (this.templates.length < MOST_TEMPLATES) {
      const template = new Template(this, names)
      this.templates.push(template)
      return template.posting(values)
    }
    const lengths = values.map((value) => String(value).length)
    const at = lengths.indexOf(Math.max(...lengths))
    return this.#child(names[at] ?? '').#equal(values[at] ?? null)
  }

  drop(key: unknown): void {
    if (key instanceof Template) this.#dropTemplate(key)
    else if (key === ANY) this.any = undefined
    else if (key === DEEP) this.deep = undefined
    else this[key as Slot] = undefined
    if (this.isEmpty) this.#holder?.drop(this.#heldAs)
  }

  #dropTemplate(template: Template): void {
    const left = this.templates?.filter((one) => one !== template) ?? []
    this.templates = left.length > 0 ? left : undefined
  }

  get isEmpty(): boolean {
    const { names, any, deep, exists, equals, same, above, below, templates } = this
    return !(names || any || deep || exists || equals || same || above || below || templates)
  }
}

type Slot = 'names' | 'exists' | 'equals' | 'same' | 'above' | 'below'

export function made<K, V, T extends V>(
  table: Table<K, V>,
  key: K,
  make: (table: Table<K, V>) => T,
): V {
  const known = table.get(key)
  if (known !== undefined) return known
  const value = make(table)
  table.set(key, value)
  return value
}
