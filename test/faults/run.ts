/** One run, from the first process to the ledger. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readBooks, readUnsettled, type Unsettled } from './books.ts'
import { type Client, type Posted, startPosting } from './client.ts'
import { query } from './in-flight.ts'
import { balance, type Ledger } from './ledger.ts'
import type { FaultOptions } from './options.ts'
import { policyAnswers, type Struck, strikeAll } from './outages.ts'
import { seeded } from './random.ts'
import { type Reader, startReading } from './reader.ts'
import { secretTexts } from './secrets.ts'
import type { Service } from './service.ts'
import { openStage, type Stage, untilNothingRuns } from './stage.ts'
import { enable, type Subscription, subscribeAll, wishes } from './subscriptions.ts'
import { waitUntil } from './wait-until.ts'

export interface Run {
  readonly options: FaultOptions
  readonly posted: readonly Posted[]
  readonly ledger: Ledger
  readonly struck: Struck
  readonly reads: ReadonlyMap<string, number>
  readonly services: readonly Pick<Service, 'name' | 'starts' | 'peakMiB'>[]
  readonly seconds: { readonly posting: number; readonly settling: number; readonly all: number }
  readonly versions: Readonly<Record<string, string>>
  /** Everything that must not be; empty when all is well. */
  readonly wrong: readonly string[]
}

/** Idle it is about 100 MiB; what grows with the number of events would go past this in a long run. */
const MEMORY_LIMIT_MIB = 512

export async function runFaults(options: FaultOptions, say: (line: string) => void): Promise<Run> {
  const began = performance.now()
  const elapsed = () => Math.round((performance.now() - began) / 100) / 10
  const stage = await openStage(options)
  try {
    const versions = await readVersions(stage)
    policyAnswers(stage.policy)
    const { subscriptions, secrets } = await subscribeAll(stage.api, wishes(stage.targets))
    const ready = elapsed()
    say(`${ready} s: services and ${subscriptions.length} subscriptions are there`)
    const flow = await runFlow(stage, options)
    const posting = elapsed() - ready
    say(`${elapsed()} s: ${flow.posted.length} events posted, everything struck`)
    const unsettled = await settle({ stage, flow, subscriptions, say })
    const settling = elapsed() - ready - posting
    say(`${elapsed()} s: settled`)
    const stopped = await stopAll(stage, options)
    const { posted, struck, reader } = flow
    const sent = stage.targets.receiver.all
    const books = await readBooks(stage)
    const ledger = balance({ posted, subscriptions, books, sent, cuts: struck.cuts })
    const logs = stage.services.map((each) => [each.name, each.log()] as const)
    const wrong = [
      ...(unsettled === undefined ? [] : [`never settled: ${JSON.stringify(unsettled)}`]),
      ...ledger.wrong,
      ...reader.wrong,
      ...postedWrong(posted),
      ...stopped,
      ...stage.services.flatMap(({ diedAlone }) => diedAlone),
      ...logs.flatMap(([name, text]) => logWrong(name, text, secretTexts(secrets))),
      ...stage.services.flatMap(memoryWrong),
    ]
    const services = stage.services.map(({ name, starts, peakMiB }) => ({ name, starts, peakMiB }))
    const seconds = { posting, settling, all: elapsed() }
    const reads = reader.answers
    return { options, posted, ledger, struck, reads, services, seconds, versions, wrong }
  } finally {
    if (options.logs !== undefined)
      keepLogs(
        options.logs,
        stage.services.map((each) => [each.name, each.log()] as const),
      )
    await stage.close()
  }
}

interface Flow {
  readonly posted: readonly Posted[]
  readonly struck: Struck
  readonly reader: Reader
}

async function runFlow(stage: Stage, options: FaultOptions): Promise<Flow> {
  const client: Client = startPosting(stage.api, options)
  const reader = startReading(readUrls(stage))
  const watching = setInterval(() => {
    for (const each of stage.services) each.look()
  }, 500)
  try {
    const random = seeded(options.seed)
    const struck = await strikeAll({ stage, client, random }, options)
    const enough = () => client.posted.length >= options.events
    await waitUntil(`${options.events} events are posted`, enough)
    return { posted: client.posted, struck, reader }
  } finally {
    clearInterval(watching)
    await Promise.all([client.end(), reader.end()])
  }
}

function readUrls({ api, dispatchers }: Stage): string[] {
  return [
    ...['/eventmatch', '/events?limit=5', '/readyz', '/healthz', '/metrics'].map(
      (path) => api + path,
    ),
    ...dispatchers.flatMap((url) => [`${url}/?limit=5`, `${url}/readyz`, `${url}/metrics`]),
  ]
}

/** Nothing has moved for so long: leases end after a minute, retries come every 20 s. */
const STILL_MS = 240_000

interface Settling {
  readonly stage: Stage
  readonly flow: Flow
  readonly subscriptions: readonly Subscription[]
  readonly say: (line: string) => void
}

/**
 * Releases what was held, and waits until only that waits which is to wait. What is left when nothing has moved for long
 * is answered; the ledger names it.
 */
async function settle({ stage, flow, subscriptions, say }: Settling) {
  for (const subscription of subscriptions.filter(({ paused }) => paused))
    await enable(stage.api, subscription)
  const uuids = flow.posted.flatMap(({ uuid }) => uuid ?? [])
  let last: Unsettled | undefined
  let deadline = performance.now() + STILL_MS
  for (;;) {
    const now = await readUnsettled(stage, uuids, subscriptions, flow.struck.cuts)
    if (Object.values(now).every((count) => count === 0)) return undefined
    if (JSON.stringify(now) !== JSON.stringify(last)) {
      deadline = performance.now() + STILL_MS
      say(`still to come: ${JSON.stringify(now)}`)
    }
    if (performance.now() > deadline) return now
    last = now
    for (const each of stage.services) each.look()
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** In order: afterwards nothing is in flight, and the books and the targets must agree. */
async function stopAll(stage: Stage, options: FaultOptions): Promise<string[]> {
  const codes = await Promise.all(stage.services.map((each) => each.stop()))
  await untilNothingRuns(stage)
  // A request may take longer than the grace that a process has for its end: then it says so by its exit code.
  if (seconds(options.deliveryTimeout) >= 20) return []
  return stage.services.flatMap(({ name }, index) =>
    codes[index] === 0 ? [] : [`${name} did not stop in order: ${codes[index]}`],
  )
}

function seconds(duration: string): number {
  const [, number = '', unit = 's'] = /^(\d+)(ms|s|min)?$/.exec(duration) ?? []
  return Number(number) * ({ ms: 0.001, s: 1, min: 60 }[unit] ?? 1)
}

/** While the api is there it takes every event: with 200, or 503 when the spool is full. */
function postedWrong(posted: readonly Posted[]): string[] {
  return posted
    .filter(({ status }) => status !== undefined && ![200, 503].includes(status))
    .map(({ number, status }) => `event ${number} was answered ${status}`)
}

function logWrong(name: string, text: string, secrets: readonly string[]): string[] {
  const leaks = secrets.filter((secret) => text.includes(secret))
  const fatal = text.split('\n').filter((line) => /"level":60\b|process\.uncaught/.test(line))
  return [
    ...leaks.map((secret) => `${name} logged the secret ${secret}`),
    ...fatal.map((line) => `${name}: ${line.slice(0, 500)}`),
  ]
}

function memoryWrong({ name, peakMiB = 0 }: Service): string[] {
  return peakMiB > MEMORY_LIMIT_MIB ? [`${name} took ${peakMiB} MiB`] : []
}

function keepLogs(folder: string, logs: readonly (readonly [string, string])[]): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of logs) writeFileSync(join(folder, `${name}.log`), text, 'latin1')
}

async function readVersions(stage: Stage): Promise<Record<string, string>> {
  const [row] = await query<{ server_version: string }>(
    stage.databases.notifications,
    'SHOW server_version',
  )
  return {
    node: process.version,
    postgresql: row?.server_version ?? '',
    rabbitmq: (await stage.rabbitmq.ctl('version')).trim(),
  }
}
