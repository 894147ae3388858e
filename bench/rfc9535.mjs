/**
 * One event of 4.7 kB against subscriptions in RFC 9535: the index, brute force over compiled closures, and json-p3,
 * which is given each expression compiled.
 *
 *   npm run build && node bench/rfc9535.mjs [--subscriptions 1000]
 *
 * Prints min, median and max of repeated runs; it asserts only that all three find the same.
 */
import { parseArgs } from 'node:util'
import { compile as peer } from 'json-p3'
import { event } from '../packages/jsonpath/bench/workloads.mjs'
import { SubscriptionIndex, SubscriptionScan } from '../packages/jsonpath/dist/index.js'

const { values: args } = parseArgs({
  options: { subscriptions: { type: 'string', default: '1000' } },
})
const size = Number(args.subscriptions)
const RUNS = 7
const MATCHING = 10

/** Ten of them match. */
const text = (n) =>
  `$[?$.eventType == 'org.pacifica.metadata.ingest' && $.data[?@.destinationTable == 'TransactionKeyValue' && ` +
  `@.key == 'instrument.setting_${n % 24}' && @.value == 'value ${n < MATCHING ? n % 24 : `${n}?`}']]`

const texts = Array.from({ length: size }, (_, n) => text(n))
const [index, scan] = [new SubscriptionIndex(), new SubscriptionScan()]
for (const [n, one] of texts.entries())
  for (const each of [index, scan]) each.set(`${n}`, one, { dialect: 'rfc9535' })
const peers = texts.map((one) => peer(one))

const ways = {
  index: () => index.match(event),
  'brute force': () => scan.match(event),
  'json-p3': () => peers.flatMap((one, n) => (one.match(event) === undefined ? [] : [`${n}`])),
}

const answers = Object.values(ways).map((way) => JSON.stringify(way()))
if (new Set(answers).size > 1) throw new Error('they find different subscriptions')
console.log(`node ${process.version}, ${size} subscriptions; µs for each event: min / median / max`)
for (const [name, way] of Object.entries(ways)) {
  const times = Array.from({ length: RUNS }, () => {
    const from = process.hrtime.bigint()
    let calls = 0
    do {
      way()
      calls += 1
    } while (process.hrtime.bigint() - from < 50_000_000n)
    return Number(process.hrtime.bigint() - from) / 1000 / calls
  }).sort((one, other) => one - other)
  const shown = [times[0], times[RUNS >>> 1], times.at(-1)].map((time) => time.toFixed(1))
  console.log(`${name.padEnd(12)} ${shown.join(' / ')}`)
}
