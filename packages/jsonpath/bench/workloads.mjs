/**
 * What bench/matching.mjs measures: `text(n)` is the n-th subscription of N, of which ten match the
 * event. `hard`: how many of them no index can find.
 */

const KEYS = Array.from({ length: 24 }, (_, n) => `instrument.setting_${n}`)

/** 35 items, 4.7 kB, as Pacifica Metadata sends them. */
export const event = {
  cloudEventsVersion: '0.1',
  contentType: 'application/json',
  data: [
    { destinationTable: 'Transactions._id', value: 1234 },
    { destinationTable: 'Transactions.submitter', value: 10 },
    { destinationTable: 'Transactions.project', value: '1234a' },
    { destinationTable: 'Transactions.instrument', value: 54 },
    ...KEYS.map((key, n) => ({
      destinationTable: 'TransactionKeyValue',
      key,
      value: `value ${n}`,
    })),
    ...Array.from({ length: 7 }, (_, n) => ({
      _id: 100 + n,
      ctime: 'Thu Aug 30 15:19:40 PST 2018',
      destinationTable: 'Files',
      hashsum: `4b5e3e59af149a058366bed86b05500c0acd34e${n}`,
      hashtype: 'sha1',
      mimetype: 'text/plain',
      mtime: 'Thu Aug 30 15:19:40 PST 2018',
      name: `lipsum_${n}.txt`,
      size: 614 + n,
      subdir: 'data/set/one',
    })),
  ],
  eventID: 'C234-1234-1234',
  eventTime: '2018-08-30T15:20:00Z',
  eventType: 'org.pacifica.metadata.ingest',
  source: '/pacifica/metadata/ingest',
}

const cloudEvent = {
  specversion: '1.0',
  id: 'a-1',
  type: 'org.example.measured.7',
  source: '/instrument/7',
  datacontenttype: 'application/json',
  data: { value: 50, unit: 'K' },
}

const item = (...pairs) =>
  `$["data"][*][?(${pairs.map(([k, v]) => `@["${k}"] = ${JSON.stringify(v)}`).join(' and ')})]`
const envelope = `$["eventID"] and $["eventType"] = "org.pacifica.metadata.ingest" and $["source"] = "/pacifica/metadata/ingest"`
const keyValue = (key, value) =>
  item(['destinationTable', 'TransactionKeyValue'], ['key', key], ['value', value])
const files = item(
  ['destinationTable', 'Files'],
  ['mimetype', 'text/plain'],
  ['subdir', 'data/set/one'],
)

/** Ten of N, spread over them; all of fewer. */
const isHit = (n, N) => N <= 10 || n % Math.ceil(N / 10) === 0
const nth = (n, N) => (N <= 10 ? n : Math.floor(n / Math.ceil(N / 10)))

const pacifica = (n, N) => {
  const k = nth(n, N) % KEYS.length
  const clause = isHit(n, N)
    ? keyValue(KEYS[k], `value ${k}`)
    : keyValue(KEYS[n % KEYS.length], `other ${n}`)
  // Different texts, so that none is shared.
  const own = isHit(n, N) ? ` and not $["data"]["never ${n}"]` : ''
  return `$[?(${clause} and ${files} and ${envelope}${own})]`
}

const proxymod = (n, N) => {
  const some = KEYS.slice(0, 8).map(
    (key) =>
      `$["data"][*][?(@["destinationTable"] = "TransactionKeyValue" and @["key"] = "${key}" and @["value"])]`,
  )
  const ref = `@["name"] != $["data"][*][?(@["destinationTable"] = "TransactionKeyValue" and @["key"] = "${KEYS[1]}")]["value"]`
  const k = nth(n, N) % KEYS.length
  const task = isHit(n, N)
    ? keyValue(KEYS[k], `value ${k}`)
    : keyValue('proxymod.task', `advance ${n}`)
  const own = isHit(n, N) ? ` and not $["data"]["never ${n}"]` : ''
  return `$[?(${task} and ${some.join(' and ')} and $["data"][*][?(@["destinationTable"] = "Files" and @["mimetype"] = "text/plain" and ${ref})] and ${envelope}${own})]`
}

const cloudevents = (n, N) =>
  isHit(n, N)
    ? `$[?(@.type = "org.example.measured.7" and @.source = "/instrument/7" and @.data.value > ${nth(n, N)})]`
    : `$[?(@.type = "org.example.measured.${n % 50}" and @.source = "/instrument/${1000 + n}" and @.data.value > ${n % 100})]`

const hot = (n, N) => {
  if (isHit(n, N))
    return `$[?(@.eventType = "org.pacifica.metadata.ingest" and $.data[*].size > ${nth(n, N)})]`
  const type = n % 20 === 1 ? 'org.pacifica.metadata.ingest' : `org.pacifica.other.${n % 20}`
  return `$[?(@.eventType = "${type}" and $.data[*].size > ${1000 + n})]`
}

const mixed = (n, N) => {
  if (n % 100 !== 99) return pacifica(n, N)
  return n % 200 === 99
    ? `$[?(not $["data"][*]["destinationTable"] = "Files" or $["eventID"] = "E ${n}")]`
    : `$..[?(@ contains "nowhere ${n}")]`
}

export const workloads = {
  pacifica: { event, text: pacifica },
  proxymod: { event, text: proxymod },
  cloudevents: { event: cloudEvent, text: cloudevents },
  hot: { event, text: hot },
  mixed: { event, text: mixed },
}
