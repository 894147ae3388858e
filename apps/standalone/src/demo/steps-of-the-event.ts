/** The event's way through notifications, as its API tells it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, getJson, isReady, post, UnexpectedAnswerError } from './client.ts'
import { type Journey, readDelivery, readEvent, readMatched, type Step } from './journey.ts'

export const stepsOfTheEvent: readonly Step[] = [
  { name: 'ready', run: ready },
  { name: 'subscribed', run: subscribed },
  { name: 'accepted', run: accepted },
  { name: 'matched', run: matched },
  { name: 'policy', run: policy },
  { name: 'dispatched', run: dispatched },
]

async function ready({ running, withinMs }: Journey): Promise<string> {
  for (const url of [running.notificationsUrl, running.dispatcherUrl])
    await eventually(`${url}/readyz`, () => isReady(url), { withinMs })
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
  await readEvent(journey, journey.event)
  return `event ${journey.event}, ${Buffer.byteLength(body)} bytes`
}

async function matched(journey: Journey): Promise<string> {
  const event = await eventually('matching', () => readMatched(journey, journey.event), journey)
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
      const found = (await readDelivery(journey)).policy
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
      const found = await readDelivery(journey)
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
