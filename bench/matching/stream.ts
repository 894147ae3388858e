/** Many different events one after another, and subscriptions that come, go and change among the others. */
import type { SubscriptionIndex } from '@pacifica/jsonpath'
import { medianOf } from '../figures.ts'
import { type Effort, microseconds, timed } from './timing.ts'
import { event, KEYS, WORKLOADS } from './workloads.ts'

export interface Stream {
  /** Events a second, parsed and matched; and the first time, when each compiles what it finds. */
  readonly perSecond: number
  readonly firstTime: number
  /** The same texts, only parsed. */
  readonly parsedPerSecond: number
  /** Of one event, on average. */
  readonly matches: number
}

const PASSES = 5

/** On the index of the workload `pacifica` with so many subscriptions. */
export function stream(index: SubscriptionIndex, count: number): Stream {
  const texts = Array.from({ length: count }, (_, n) => textOf(n))
  let matched = 0
  const pass = (each: (event: unknown) => void) =>
    count / timed(() => texts.map((text) => each(JSON.parse(text)))).seconds
  const match = (event: unknown) => {
    matched += index.match(event).length
  }
  const firstTime = pass(match)
  const later = Array.from({ length: PASSES }, () => [pass(match), pass(() => {})] as const)
  return {
    perSecond: medianOf(later.map(([rate]) => rate)),
    firstTime,
    parsedPerSecond: medianOf(later.map(([, rate]) => rate)),
    matches: matched / (count * (PASSES + 1)),
  }
}

/** Each with a value of its own, which some subscription asks for. */
function textOf(n: number): string {
  const at = n % KEYS.length
  const data = event.data.map((item) =>
    'key' in item && item.key === KEYS[at]
      ? { ...item, value: `other ${n * KEYS.length + at}` }
      : item,
  )
  return JSON.stringify({ ...event, eventID: `E-${n}`, data })
}

export interface Change {
  /** Microseconds to give a known subscription another expression. */
  readonly changeUs: number
  /** To add one, and to remove it again. */
  readonly addAndRemoveUs: number
}

export function changes(index: SubscriptionIndex, effort: Effort): Change {
  const { text } = WORKLOADS.pacifica
  const size = index.size
  let n = 0
  const another = () => {
    n += 1
    return text(size + n * 7 + 1, size)
  }
  return {
    changeUs: microseconds(() => index.set('another', another()), effort),
    addAndRemoveUs: microseconds(() => {
      index.set('one more', another())
      index.delete('one more')
    }, effort),
  }
}
