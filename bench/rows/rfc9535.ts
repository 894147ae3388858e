/**
 * One event of 4.7 kB against subscriptions in RFC 9535: the index, brute force over compiled closures, and json-p3,
 * which is given each expression compiled. Throws when they find different ones.
 */

import { SubscriptionIndex, SubscriptionScan } from '@pacifica/jsonpath'
import { compile as peer } from 'json-p3'
import { numberText } from '../figures.ts'
import { FULL, microseconds, QUICK } from '../matching/timing.ts'
import { event } from '../matching/workloads.ts'
import type { Measured, Row } from '../row.ts'

const MATCHING = 10

/** Ten of them match. */
const text = (n: number) =>
  `$[?$.eventType == 'org.pacifica.metadata.ingest' && $.data[?@.destinationTable == 'TransactionKeyValue' && ` +
  `@.key == 'instrument.setting_${n % 24}' && @.value == 'value ${n < MATCHING ? n % 24 : `${n}?`}']]`

export const row: Row = {
  name: 'rfc9535',
  what: 'an event of 4.7 kB against subscriptions in RFC 9535, 10 of which match',
  async run({ rounds, quick }): Promise<readonly Measured[]> {
    const size = quick ? 50 : 1_000
    const ways = waysToMatch(size)
    const answers = Object.values(ways).map((way) => JSON.stringify(way()))
    if (new Set(answers).size > 1) throw new Error('they find different subscriptions')
    const effort = quick ? QUICK : FULL
    const times = { index: [] as number[], brute: [] as number[], peer: [] as number[] }
    for (let round = 0; round < rounds; round += 1) {
      times.index.push(microseconds(ways.index, effort))
      times.brute.push(microseconds(ways.brute, effort))
      times.peer.push(microseconds(ways.peer, effort))
    }
    const beside = { unit: 'µs', peer: { name: 'json-p3', figures: times.peer } }
    const many = `${numberText(size)} subscriptions`
    return [
      { ...beside, what: `${many}, the index`, ours: times.index },
      { ...beside, what: `${many}, brute force`, ours: times.brute },
    ]
  },
}

function waysToMatch(size: number) {
  const texts = Array.from({ length: size }, (_, n) => text(n))
  const [index, scan] = [new SubscriptionIndex(), new SubscriptionScan()]
  const peers = texts.map((one) => peer(one))
  for (const [n, one] of texts.entries())
    for (const each of [index, scan]) each.set(`${n}`, one, { dialect: 'rfc9535' })
  const value = JSON.parse(JSON.stringify(event)) as typeof event
  return {
    index: () => index.match(value),
    brute: () => scan.match(value),
    peer: () => peers.flatMap((one, n) => (one.match(value) === undefined ? [] : [`${n}`])),
  }
}
