/** What matching is measured on: an event, and the n-th subscription of N, of which ten match it. */
import { metadataEvent } from '../metadata-event.ts'

export interface Workload {
  /** Parsed from JSON, as an event that comes in: no string of the expressions is part of it. */
  readonly event: unknown
  /** The n-th expression of N. */
  text(n: number, N: number): string
}

/** Of the items that have one. */
export const KEYS = Array.from({ length: 24 }, (_, n) => `instrument.setting_${n}`)

/** 35 items, 4.7 kB, as Pacifica Metadata sends them. */
export const event = metadataEvent({
  keys: KEYS,
  files: 7,
  eventID: 'C234-1234-1234',
  source: '/pacifica/metadata/ingest',
})

const cloudEvent = {
  specversion: '1.0',
  id: 'a-1',
  type: 'org.example.measured.7',
  source: '/instrument/7',
  datacontenttype: 'application/json',
  data: { value: 50, unit: 'K' },
}

const item = (...pairs: readonly (readonly [string, string])[]) =>
  `$["data"][*][?(${pairs.map(([k, v]) => `@["${k}"] = ${JSON.stringify(v)}`).join(' and ')})]`
const envelope = `$["eventID"] and $["eventType"] = "org.pacifica.metadata.ingest" and $["source"] = "/pacifica/metadata/ingest"`
const keyValue = (key: string, value: string) =>
  item(['destinationTable', 'TransactionKeyValue'], ['key', key], ['value', value])
const files = item(
  ['destinationTable', 'Files'],
  ['mimetype', 'text/plain'],
  ['subdir', 'data/set/one'],
)

const keyAt = (n: number) => KEYS[n % KEYS.length] ?? ''

/** Ten of N, spread over them; all of fewer. */
const isHit = (n: number, N: number) => N <= 10 || n % Math.ceil(N / 10) === 0
const nth = (n: number, N: number) => (N <= 10 ? n : Math.floor(n / Math.ceil(N / 10)))

const pacifica = (n: number, N: number) => {
  const k = nth(n, N) % KEYS.length
  const clause = isHit(n, N) ? keyValue(keyAt(k), `value ${k}`) : keyValue(keyAt(n), `other ${n}`)
  // Different texts, so that none is shared.
  const own = isHit(n, N) ? ` and not $["data"]["never ${n}"]` : ''
  return `$[?(${clause} and ${files} and ${envelope}${own})]`
}

const proxymod = (n: number, N: number) => {
  const some = KEYS.slice(0, 8).map(
    (key) =>
      `$["data"][*][?(@["destinationTable"] = "TransactionKeyValue" and @["key"] = "${key}" and @["value"])]`,
  )
  const ref = `@["name"] != $["data"][*][?(@["destinationTable"] = "TransactionKeyValue" and @["key"] = "${keyAt(1)}")]["value"]`
  const k = nth(n, N) % KEYS.length
  const task = isHit(n, N)
    ? keyValue(keyAt(k), `value ${k}`)
    : keyValue('proxymod.task', `advance ${n}`)
  const own = isHit(n, N) ? ` and not $["data"]["never ${n}"]` : ''
  return `$[?(${task} and ${some.join(' and ')} and $["data"][*][?(@["destinationTable"] = "Files" and @["mimetype"] = "text/plain" and ${ref})] and ${envelope}${own})]`
}

const cloudevents = (n: number, N: number) =>
  isHit(n, N)
    ? `$[?(@.type = "org.example.measured.7" and @.source = "/instrument/7" and @.data.value > ${nth(n, N)})]`
    : `$[?(@.type = "org.example.measured.${n % 50}" and @.source = "/instrument/${1000 + n}" and @.data.value > ${n % 100})]`

const hot = (n: number, N: number) => {
  if (isHit(n, N))
    return `$[?(@.eventType = "org.pacifica.metadata.ingest" and $.data[*].size > ${nth(n, N)})]`
  const type = n % 20 === 1 ? 'org.pacifica.metadata.ingest' : `org.pacifica.other.${n % 20}`
  return `$[?(@.eventType = "${type}" and $.data[*].size > ${1000 + n})]`
}

const mixed = (n: number, N: number) => {
  if (n % 100 !== 99) return pacifica(n, N)
  return n % 200 === 99
    ? `$[?(not $["data"][*]["destinationTable"] = "Files" or $["eventID"] = "E ${n}")]`
    : `$..[?(@ contains "nowhere ${n}")]`
}

export const WORKLOADS = {
  /** As Pacifica's own subscribers write: an item with this key and that value, among others. */
  pacifica: { event, text: pacifica },
  /** Long ones: eight items that must be there, and one that must differ from another. */
  proxymod: { event, text: proxymod },
  /** On the envelope, and a number. */
  cloudevents: { event: cloudEvent, text: cloudevents },
  /** One in twenty asks for the event's type; what sets them apart is a number. */
  hot: { event, text: hot },
  /** One in a hundred cannot be looked up. */
  mixed: { event, text: mixed },
} satisfies Record<string, Workload>
