/** The conditions that can be looked up, and the ways to combine them that are open to the index. */

import { asNumber } from '../../values/kinds.ts'
import { ANY, type Segment, type Side } from './condition.ts'

export type Scalar = null | number | string

/** Some value at the shape … */
export type Question =
  /** … is there, */
  | { readonly kind: 'exists' }
  /** … equals this, */
  | { readonly kind: 'equals'; readonly value: Scalar }
  /** … is an array or object of this normal text, with so many values in it, */
  | { readonly kind: 'same'; readonly text: string; readonly nodes: number }
  /** … is a number on this side of the limit, or the limit itself, */
  | { readonly kind: 'ordered'; readonly side: Side; readonly limit: number }
  /** … has all these members, two or more, in the order of their names. */
  | {
      readonly kind: 'members'
      readonly names: readonly string[]
      readonly values: readonly Scalar[]
    }

export interface Atom {
  readonly shape: readonly Segment[]
  readonly question: Question
  readonly hash: number
}

/** Equal as the dialect's `=` has it: one and the same here. Undefined for arrays and objects. */
export function normalScalar(value: unknown): Scalar | undefined {
  if (typeof value === 'string' || value === null) return value
  const number = asNumber(value)
  return number === undefined ? undefined : number + 0 // -0 is 0
}

export function atomOf(shape: readonly Segment[], question: Question): Atom {
  // 31 bits are a small integer everywhere.
  return { shape, question, hash: hashQuestion(question, shape.reduce(hashSegment, SEED)) >>> 1 }
}

/** The hashes of the atoms that hold wherever this one does: its own, and those of its members one by one. */
export function hashesOf({ hash, question, shape }: Atom): readonly number[] {
  if (question.kind !== 'members') return [hash]
  const { names, values } = question
  const each = names.map((name, at) =>
    atomOf([...shape, name], { kind: 'equals', value: values[at] ?? null }),
  )
  return [hash, ...each.map((one) => one.hash)]
}

function hashSegment(hash: number, segment: Segment): number {
  if (typeof segment === 'string') return hashText(segment, hash)
  return hashText('', hash ^ (segment === ANY ? 1 : 2))
}

function hashQuestion(question: Question, hash: number): number {
  switch (question.kind) {
    case 'exists':
      return hashText('?', hash)
    case 'equals':
      return hashScalar(question.value, hashText('=', hash))
    case 'same':
      return hashText(question.text, hashText('==', hash))
    case 'ordered':
      return hashText(`${question.side} ${question.limit}`, hash)
    case 'members':
      return question.values.reduce<number>(
        (so, value, at) => hashScalar(value, hashText(question.names[at] ?? '', so)),
        hashText('&', hash),
      )
  }
}

function hashScalar(value: Scalar, hash: number): number {
  return typeof value === 'string' ? hashText(value, hash ^ 1) : hashText(String(value), hash)
}

/** FNV-1a. Equal hashes of different atoms cost a worse choice, nothing else. */
function hashText(text: string, hash: number): number {
  let mixed = hash
  for (let at = 0; at < text.length; at += 1) {
    mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  }
  return Math.imul(mixed ^ 0xff, 0x01000193) >>> 0
}

const SEED = 0x811c9dc5
