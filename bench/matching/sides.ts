/** The two sides of matching, loaded and measured: the index, and brute force over compiled expressions. */
import { SubscriptionIndex, SubscriptionScan, type Subscriptions } from '@pacifica/jsonpath'
import { type Effort, heapBytes, microseconds, timed } from './timing.ts'
import type { Workload } from './workloads.ts'

export interface Side {
  /** Ids that match. */
  readonly matches: readonly string[]
  /** To match the event once, in microseconds. */
  readonly us: number
  /** Of heap, with the texts, before the first match. */
  readonly bytes: number
}

export interface Indexed extends Side {
  readonly index: SubscriptionIndex
  readonly loadSeconds: number
  /** The very first match, which compiles what it finds, in milliseconds. */
  readonly firstMs: number
  /** Candidates of the first match, and once what was found in vain has been moved. */
  readonly candidates: { readonly first: number; readonly settled: number }
}

/** Closures of more do not fit into memory: brute force goes through them in pieces. */
const PIECE = 10_000

export function indexed(workload: Workload, size: number, effort: Effort): Indexed {
  const part = { first: 0, last: size, size }
  const {
    made: index,
    bytes,
    seconds,
  } = load(workload, part, effort, () => new SubscriptionIndex())
  const value = freshly(workload.event)
  const { seconds: firstSeconds } = timed(() => index.match(value))
  const first = index.stats().candidates
  for (let left = effort.settling; left > 0; left -= 1) index.match(value)
  const us = microseconds(() => index.match(value), effort)
  const candidates = { first, settled: index.stats().candidates }
  const matches = index.match(value)
  const times = { us, loadSeconds: seconds, firstMs: firstSeconds * 1000 }
  return { index, matches, bytes, candidates, ...times }
}

export function bruteForce(workload: Workload, size: number, effort: Effort): Side {
  const value = freshly(workload.event)
  const matches: string[] = []
  let [us, bytes] = [0, 0]
  for (let first = 0; first < size; first += PIECE) {
    const part = { first, last: Math.min(first + PIECE, size), size }
    const piece = load(workload, part, effort, () => new SubscriptionScan())
    matches.push(...piece.made.match(value))
    us += microseconds(() => piece.made.match(value), effort)
    bytes += piece.bytes
  }
  return { matches, us, bytes }
}

interface Part {
  readonly first: number
  readonly last: number
  readonly size: number
}

/** One that holds this part of the workload, what it weighs, and how long it took. */
function load<T extends Subscriptions>(
  { text }: Workload,
  part: Part,
  { weighable }: Effort,
  make: () => T,
) {
  const { first, last, size } = part
  const copies = Math.max(1, Math.ceil(weighable / size))
  const before = heapBytes()
  // The texts come first: a service has them from its database. What is kept of them counts.
  const texts = Array.from({ length: last - first }, (_, n) => freshly(text(first + n, size)))
  const { value: all, seconds } = timed(() =>
    Array.from({ length: copies }, () => {
      const made = make()
      for (const [n, one] of texts.entries()) made.set(`subscription-${first + n}`, one)
      return made
    }),
  )
  texts.length = 0
  const bytes = Math.max(0, heapBytes() - before) / copies
  return { made: all[0] as T, bytes, seconds: seconds / copies }
}

/** A copy that shares no memory with the workload, as what comes in. */
function freshly<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
