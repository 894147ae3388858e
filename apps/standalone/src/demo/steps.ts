/**
 * The way of one event, step by step. Each step looks at what the services say of themselves over their public APIs,
 * or at the bundle's own bytes, and returns the line that is printed; it throws when it cannot be true.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Standalone } from '../start.ts'
import { BrokenBundleError, type Bundle, readBundle, sha1 } from './bundle.ts'
import { eventually, getJson, post, UnexpectedAnswerError } from './client.ts'

export interface Sample {
  /** Holds event.json, and the event's files below data/. */
  readonly folder: string
  /** What the demo subscribes with. */
  readonly jsonpath: string
}

/** What the steps have learnt so far. */
export interface Journey {
  readonly running: Standalone
  readonly sample: Sample
  readonly withinMs: number
  subscription: string
  event: string
  task: TaskView
}

interface DeliveryView {
  subscription: string
  state: string
  reason: string | null
  policy: { state: string; status_code: number | null; body: string | null } | null
  attempts: { outcome: string; error: string | null; duration_ms: number }[]
}

interface EventView {
  state: string
  match_count: number | null
  reason: string | null
  deliveries: DeliveryView[]
}

export interface TaskView {
  taskID: string
  taskStatus: string
  eventData: string
  exceptionType: string | null
  exceptionValue: string | null
  filesTaken: number
  bytesTaken: number
  bundles: { bundle: string; jobId: number | null }[]
}

export interface Step {
  readonly name: string
  readonly run: (journey: Journey) => Promise<string>
}

export const steps: readonly Step[] = [
  { name: 'ready', run: ready },
  { name: 'subscribed', run: subscribed },
  { name: 'accepted', run: accepted },
  { name: 'matched', run: matched },
  { name: 'policy', run: policy },
  { name: 'dispatched', run: dispatched },
  { name: 'files taken', run: filesTaken },
  { name: 'handler', run: handler },
  { name: 'bundle', run: bundle },
]

async function ready({ running, withinMs }: Journey): Promise<string> {
  for (const url of [running.notificationsUrl, running.dispatcherUrl])
    await eventually(`${url}/readyz`, async () => (await fetch(`${url}/readyz`)).ok || undefined, {
      withinMs,
    })
  return `notifications on ${running.notificationsUrl}, dispatcher on ${running.dispatcherUrl}`
}

async function subscribed(journey: Journey): Promise<string> {
  const { running, sample } = journey
  const target = `dispatch://${running.dispatcher}`
  const created = await post(
    `${running.notificationsUrl}/eventmatch`,
    JSON.stringify({ name: 'demo', jsonpath: sample.jsonpath, target_url: target }),
  )
  journey.subscription = (JSON.parse(created) as { uuid: string }).uuid
  const stored = await getJson<{ user: string; target_url: string }>(
    `${running.notificationsUrl}/eventmatch/${journey.subscription}`,
  )
  return `${stored.user} to ${stored.target_url}, ${journey.subscription}`
}

async function accepted(journey: Journey): Promise<string> {
  const body = await readFile(join(journey.sample.folder, 'event.json'), 'utf8')
  journey.event = await post(`${journey.running.notificationsUrl}/receive`, body)
  await getJson(eventUrl(journey))
  return `event ${journey.event}, ${Buffer.byteLength(body)} bytes`
}

async function matched(journey: Journey): Promise<string> {
  const event = await eventually(
    'matching',
    async () => {
      const view = await getJson<EventView>(eventUrl(journey))
      if (view.state === 'unmatchable') throw new UnexpectedAnswerError(view.reason ?? view.state)
      return view.state === 'matched' ? view : undefined
    },
    journey,
  )
  if (event.match_count !== 1 || event.deliveries[0]?.subscription !== journey.subscription)
    throw new UnexpectedAnswerError(
      `the event matched ${event.match_count} subscriptions, not the demo's`,
    )
  return `${event.match_count} subscription of ${event.match_count}`
}

async function policy(journey: Journey): Promise<string> {
  const answer = await eventually(
    "policy's answer",
    async () => {
      const found = (await deliveryOf(journey)).policy
      return found === null || found.state === 'asking' ? undefined : found
    },
    journey,
  )
  if (answer.state !== 'allowed')
    throw new UnexpectedAnswerError(`policy said no (${answer.status_code}): ${answer.body}`)
  return `${answer.state} (${answer.status_code}, ${answer.body})`
}

async function dispatched(journey: Journey): Promise<string> {
  const delivery = await eventually(
    'the dispatch',
    async () => {
      const found = await deliveryOf(journey)
      if (found.state === 'delivered') return found
      const failed = found.attempts.at(-1)
      if (failed !== undefined) throw new UnexpectedAnswerError(`${found.state}: ${failed.error}`)
      if (found.state === 'failed') throw new UnexpectedAnswerError(`${found.reason}`)
      return undefined
    },
    journey,
  )
  return `${delivery.state} in attempt ${delivery.attempts.length}, ${delivery.attempts[0]?.duration_ms} ms`
}

async function filesTaken(journey: Journey): Promise<string> {
  journey.task = await eventually('the end of the task', () => endedTask(journey), journey)
  const { filesTaken: files, bytesTaken: bytes } = journey.task
  if (files === 0) throw new UnexpectedAnswerError(failureOf(journey.task, 'no file was taken'))
  return `${files} files, ${bytes} bytes`
}

async function handler({ task }: Journey): Promise<string> {
  if (task.taskStatus !== '200 OK')
    throw new UnexpectedAnswerError(failureOf(task, 'it did not end well'))
  return `task ${task.taskID}: ${task.taskStatus}`
}

async function bundle(journey: Journey): Promise<string> {
  const [made] = journey.task.bundles
  if (made === undefined) throw new UnexpectedAnswerError('the task names no bundle')
  const read = await readBundle(made.bundle)
  await checkUpperCase(journey, read)
  const lines = read.members.map(
    ({ sha1, size, name }) => `    sha1 ${sha1}  ${size} bytes  ${name}`,
  )
  const notes = read.metadata
    .filter((entry) => entry.destinationTable === 'TransactionKeyValue')
    .map((entry) => `    ${entry['key']} = ${entry['value']}`)
  return [made.bundle, ...lines, ...notes].join('\n')
}

/** Each member must be what its input is in upper case, computed here anew from the sample. */
async function checkUpperCase(journey: Journey, { members }: Bundle): Promise<void> {
  if (members.length === 0) throw new BrokenBundleError('the bundle is empty')
  for (const { name, sha1: found } of members) {
    const input = await readFile(join(journey.sample.folder, name), 'utf8')
    if (sha1(Buffer.from(input.toUpperCase())) !== found)
      throw new BrokenBundleError(`${name} is not its input in upper case`)
  }
}

function eventUrl({ running, event }: Journey): string {
  return `${running.notificationsUrl}/events/${event}`
}

async function deliveryOf(journey: Journey): Promise<DeliveryView> {
  const [delivery] = (await getJson<EventView>(eventUrl(journey))).deliveries
  if (delivery === undefined) throw new UnexpectedAnswerError('the event has no delivery')
  return delivery
}

async function endedTask({ running }: Journey): Promise<TaskView | undefined> {
  const [newest] = await getJson<{ taskID: string }[]>(`${running.dispatcherUrl}/`)
  if (newest === undefined) return undefined
  const task = await getJson<TaskView>(`${running.dispatcherUrl}/get/${newest.taskID}`)
  return /^(202|102) /.test(task.taskStatus) ? undefined : task
}

function failureOf(task: TaskView, otherwise: string): string {
  if (task.exceptionType === null) return `${task.taskStatus}: ${otherwise}`
  return `${task.taskStatus}: ${task.exceptionType}: ${task.exceptionValue}`
}
