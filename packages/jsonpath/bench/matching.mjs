/**
 * Matching one event against N subscriptions: the index beside brute force over compiled closures.
 *
 *   npm run build && node --expose-gc packages/jsonpath/bench/matching.mjs [--most 100000] [--only hot,mixed]
 *
 * Prints min, median and max of repeated runs; it asserts only that both find the same.
 */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SubscriptionIndex, SubscriptionScan } from '../dist/index.js'
import { workloads } from './workloads.mjs'

const { values: args } = parseArgs({
  options: { most: { type: 'string', default: '100000' }, only: { type: 'string' } },
})
const sizes = [1, 1000, 10_000, 100_000].filter((size) => size <= Number(args.most))
const names = args.only?.split(',') ?? Object.keys(workloads)
/** Closures of more would not fit into memory: brute force goes through them in pieces. */
const PIECE = 10_000
const RUNS = 15
const MATCHES_UNTIL_MOVED = 1500

setFlagsFromString('--expose_gc')
const gc = runInNewContext('gc')

const milliseconds = (from) => Number(process.hrtime.bigint() - from) / 1e6

/** Microseconds of one call: min, median and max of several runs, each long enough to be measured. */
function measure(call, { runs = RUNS, atLeastMs = 10, warmUpMs = 300 } = {}) {
  const warm = process.hrtime.bigint()
  let calls = 0
  do {
    call()
    calls += 1
  } while (milliseconds(warm) < warmUpMs)
  const each = Math.max(1, Math.ceil((calls * atLeastMs) / milliseconds(warm)))
  const times = Array.from({ length: runs }, () => {
    const from = process.hrtime.bigint()
    for (let left = each; left > 0; left -= 1) call()
    return (milliseconds(from) * 1000) / each
  }).sort((one, other) => one - other)
  return { min: times[0], median: times[runs >>> 1], max: times.at(-1) }
}

function heap() {
  gc()
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A copy that no string of the expressions is part of, as an event that comes in. */
const fresh = (event) => JSON.parse(JSON.stringify(event))

function indexed({ text, event }, size) {
  const before = heap()
  // The texts come first: a service has them from its database. What the index keeps of them counts.
  const texts = Array.from({ length: size }, (_, n) => fresh(text(n, size)))
  const index = new SubscriptionIndex()
  const from = process.hrtime.bigint()
  let slowest = 0
  texts.forEach((one, n) => {
    const at = process.hrtime.bigint()
    index.set(`subscription-${n}`, one)
    slowest = Math.max(slowest, milliseconds(at))
  })
  const loadMs = milliseconds(from)
  texts.length = 0
  const bytes = (heap() - before) / size
  const value = fresh(event)
  const firstFrom = process.hrtime.bigint()
  const matches = index.match(value)
  const firstMs = milliseconds(firstFrom)
  const early = { candidates: index.stats().candidates, ...measure(() => index.match(value)) }
  // What is found in vain is moved a little after each match.
  for (let left = MATCHES_UNTIL_MOVED; left > 0; left -= 1) index.match(value)
  const time = measure(() => index.match(value))
  const { candidates, bytes: estimated } = index.stats()
  return { matches, loadMs, slowest, bytes, estimated, firstMs, early, time, candidates }
}

function bruteForce({ text, event }, size, matches) {
  const value = fresh(event)
  const found = []
  let sum = { min: 0, median: 0, max: 0 }
  for (let first = 0; first < size; first += PIECE) {
    const scan = new SubscriptionScan()
    for (let n = first; n < Math.min(first + PIECE, size); n += 1)
      scan.set(`subscription-${n}`, text(n, size))
    found.push(...scan.match(value))
    const time = measure(() => scan.match(value), { runs: 3, atLeastMs: 1, warmUpMs: 50 })
    sum = { min: sum.min + time.min, median: sum.median + time.median, max: sum.max + time.max }
  }
  if (JSON.stringify(found) !== JSON.stringify(matches))
    throw new Error('the index and brute force differ')
  return sum
}

const number = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
const three = ({ min, median, max }) => [min, median, max].map(number).join(' / ')

function row(cells, widths = [12, 8, 9, 24, 8, 24, 8, 9, 10, 9, 8, 9]) {
  console.log(cells.map((cell, at) => String(cell).padStart(widths[at])).join('  '))
}

console.log(
  `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; times in µs: min / median / max of ${RUNS} runs`,
)
row([
  'workload',
  'N',
  'matches',
  'index',
  'candid.',
  'brute force',
  'ratio',
  'load ms',
  'slowest ms',
  'first ms',
  'B each',
  'estimated',
])
for (const name of names) {
  const workload = workloads[name]
  for (const size of sizes) {
    const result = indexed(workload, size)
    const { matches, time, candidates, loadMs, slowest, firstMs, bytes, estimated, early } = result
    const brute = bruteForce(workload, size, matches)
    const ratio = `${number(brute.median / time.median)}×`
    row([
      name,
      size,
      matches.length,
      three(time),
      candidates,
      three(brute),
      ratio,
      loadMs.toFixed(0),
      slowest.toFixed(2),
      firstMs.toFixed(1),
      size === 1 ? '' : bytes.toFixed(0),
      size === 1 ? '' : (estimated / size).toFixed(0),
    ])
    if (early.candidates > candidates)
      row([`  before moving`, '', '', three(early), early.candidates])
  }
}

stream()
change()
empty()

/** Different events, parsed and matched: what one thread does with a stream. */
function stream() {
  const { event, text } = workloads.pacifica
  const size = sizes.at(-1)
  const index = new SubscriptionIndex()
  for (let n = 0; n < size; n += 1) index.set(`subscription-${n}`, text(n, size))
  const texts = Array.from({ length: 5000 }, (_, n) => {
    const own = fresh(event)
    own.eventID = `E-${n}`
    own.data[4 + (n % 24)].value = `other ${n * 24 + (n % 24)}`
    return JSON.stringify(own)
  })
  let matched = 0
  const [first, ...others] = Array.from({ length: 6 }, () => {
    const from = process.hrtime.bigint()
    for (const one of texts) matched += index.match(JSON.parse(one)).length
    return (milliseconds(from) * 1000) / texts.length
  })
  const times = others.sort((one, other) => one - other)
  const perSecond = (time) => Math.round(1e6 / time).toLocaleString('en')
  const rates = [times[4], times[2], times[0]].map(perSecond).join(' / ')
  console.log(
    `\n5,000 different events (${texts[0].length} B), parsed and matched against ${size}: ${rates} events/s; ` +
      `${perSecond(first)} the first time, when each compiles what it finds; ${(matched / 30_000).toFixed(1)} matches each`,
  )
}

/** Adding, changing and removing one of many. */
function change() {
  const { text } = workloads.pacifica
  const size = sizes.at(-1)
  const index = new SubscriptionIndex()
  for (let n = 0; n < size; n += 1) index.set(`subscription-${n}`, text(n, size))
  let n = 0
  const time = measure(() => {
    n += 1
    index.set('another', text(size + n * 7 + 1, size))
  })
  const both = measure(() => {
    n += 1
    index.set('one more', text(size + n * 7 + 1, size))
    index.delete('one more')
  })
  console.log(
    `among ${size}: changing one ${three(time)} µs; adding and removing one ${three(both)} µs`,
  )
}

function empty() {
  const before = heap()
  const many = Array.from({ length: 1000 }, () => new SubscriptionIndex())
  console.log(`an empty index: ${((heap() - before) / many.length).toFixed(0)} B`)
}
