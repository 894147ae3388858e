/** All that is measured of matching in one round, as figures. */
import { bruteForce, type Indexed, indexed, type Side } from './sides.ts'
import { type Change, changes, type Stream, stream } from './stream.ts'
import { type Effort, FULL, QUICK } from './timing.ts'
import { WORKLOADS, type Workload } from './workloads.ts'

interface Sizes {
  /** Subscriptions, from case to case. */
  readonly all: readonly number[]
  /** Of the other workloads. */
  readonly others: number
  /** In the stream. */
  readonly events: number
}

const SIZES: Readonly<Record<'full' | 'quick', Sizes>> = {
  full: { all: [1, 1_000, 10_000, 100_000], others: 10_000, events: 5_000 },
  quick: { all: [1, 50, 200], others: 20, events: 50 },
}
/** Brute force over more takes half a minute: it is measured in the first round alone. */
const MANY = 10_000

export interface Sized {
  readonly size: number
  readonly index: Omit<Indexed, 'index'>
  readonly brute: Side | undefined
}

export interface Round {
  readonly sized: readonly Sized[]
  /** With as many subscriptions as the last of those. */
  readonly stream: Stream
  readonly change: Change
  readonly hot: Sized
  readonly others: readonly Sized[]
}

/** In the order of `Round.others`. */
export const OTHERS = [
  { name: 'long expressions', workload: WORKLOADS.proxymod },
  { name: 'a small CloudEvent', workload: WORKLOADS.cloudevents },
  { name: '1 % cannot be looked up', workload: WORKLOADS.mixed },
] as const

export interface RoundOptions {
  readonly first: boolean
  readonly quick: boolean
}

export function measureRound(options: RoundOptions): Round {
  const { all, others, events } = options.quick ? SIZES.quick : SIZES.full
  const { pacifica, hot } = WORKLOADS
  const largest = all.at(-1) ?? 1
  const smaller = all.slice(0, -1).map((size) => measure(pacifica, size, options))
  const last = indexed(pacifica, largest, effortOf(options))
  const flow = {
    stream: stream(last.index, events),
    change: changes(last.index, effortOf(options)),
  }
  return {
    ...flow,
    sized: [...smaller, besideBrute(last, pacifica, largest, options)],
    hot: measure(hot, largest, options),
    others: OTHERS.map(({ workload }) => measure(workload, others, options)),
  }
}

function measure(workload: Workload, size: number, options: RoundOptions): Sized {
  return besideBrute(indexed(workload, size, effortOf(options)), workload, size, options)
}

function besideBrute(
  { index: _, ...index }: Indexed,
  workload: Workload,
  size: number,
  options: RoundOptions,
): Sized {
  if (size > MANY && !options.first) return { size, index, brute: undefined }
  const brute = bruteForce(workload, size, { ...effortOf(options), runs: 3, runMs: 1 })
  if (JSON.stringify(brute.matches) !== JSON.stringify(index.matches))
    throw new Error(`of ${size} subscriptions the index and brute force find different ones`)
  return { size, index, brute }
}

function effortOf({ quick }: RoundOptions): Effort {
  return quick ? QUICK : FULL
}
