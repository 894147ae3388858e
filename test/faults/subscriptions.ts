/** Who subscribes to what, which events that must be, and what has to become of the deliveries. */
import { isWanted, laneOf } from './events.ts'
import { SECRETS } from './secrets.ts'
import type { Targets } from './targets.ts'

/**
 * How the ledger must stand at the end: `waiting` is tried, and to be tried again at a time that is known. `in line` is
 * that too, or has its turn after others: a target that hangs gets one request at a time, however many are due.
 */
export type Fate = 'delivered' | 'denied' | 'waiting' | 'in line'

export interface Wish {
  readonly name: string
  readonly user: string
  readonly jsonpath: string
  /** The same in plain words of ours, which the ledger is held to. */
  readonly matches: (number: number) => boolean
  readonly url: string
  readonly fate: Fate
  readonly auth?: object
  readonly delays?: readonly number[]
  /** Held until everything is posted, then enabled. */
  readonly paused?: true
  readonly signed?: true
}

export interface Subscription extends Wish {
  readonly uuid: string
}

const INGEST = '$[?(@["eventType"] = "org.pacifica.metadata.ingest")]'
const inLane = (...lanes: number[]) => {
  const any = lanes.map((lane) => `@["value"] = "lane-${lane}"`).join(' or ')
  const wanted = '@["eventType"] = "org.pacifica.metadata.ingest"'
  return {
    jsonpath: `$[?(${wanted} and $["data"][*][?(@["key"] = "lane" and (${any}))])]`,
    matches: (number: number) => isWanted(number) && lanes.includes(laneOf(number)),
  }
}

/** Long after the run: what waits for it is neither lost nor in the way. */
const LATER_S = 3_600
/** Quick at first, and patient enough for an outage of many minutes. */
const soon = [1, 1, 1, 2, 3, 5, 5, 10, 10, 20]
const soonThenLater = [1, LATER_S]

export function wishes(targets: Targets): Wish[] {
  const { url } = targets
  const basic = { type: 'basic', basic: { username: 'bob', password: SECRETS.basic } }
  const bearer = { type: 'header', header: { type: 'Bearer', credentials: SECRETS.bearer } }
  const ann = { user: 'ann', delays: soon, fate: 'delivered' } as const
  return [
    { ...ann, name: 'healthy', jsonpath: INGEST, matches: isWanted, url: url('/healthy') },
    { ...ann, ...inLane(0, 2, 4, 6), name: 'slow', url: url('/slow') },
    { ...ann, ...inLane(0), name: 'stumbling', url: url('/stumbling'), signed: true },
    { ...ann, ...inLane(1), name: 'endless', url: url('/endless') },
    { ...ann, ...inLane(2), name: 'hanging up once', url: url('/hanging-up'), auth: bearer },
    { ...ann, ...inLane(2, 3), name: 'paused', url: url('/paused'), paused: true },
    { ...ann, ...inLane(4), user: 'bob', name: 'basic', url: url('/basic'), auth: basic },
    {
      ...{ ...ann, ...inLane(5), user: 'bob', name: 'found without type' },
      ...{ jsonpath: '$[*][*][?(@["value"] = "lane-5")]', url: url('/lane-5') },
    },
    { ...ann, ...inLane(99), name: 'matches nothing', url: url('/nothing') },
    { ...ann, ...inLane(5, 6), name: 'dispatched', url: 'dispatch://example' },
    { ...ann, ...inLane(6), user: 'bob', name: 'dispatched too', url: 'dispatch://example' },
    {
      ...inLane(7),
      ...{ name: 'hanging', user: 'ann', url: url('/hanging') },
      ...{ fate: 'in line', delays: [LATER_S] },
    },
    {
      ...inLane(3),
      ...{ name: 'refusing', user: 'bob', url: targets.refusing },
      ...{ fate: 'waiting', delays: soonThenLater },
    },
    {
      ...inLane(0),
      ...{ name: 'no dispatcher', user: 'bob', url: 'dispatch://absent' },
      ...{ fate: 'waiting', delays: soonThenLater },
    },
    {
      ...{ name: 'denied', user: 'mallory', jsonpath: INGEST, matches: isWanted },
      ...{ url: url('/denied'), fate: 'denied' },
    },
  ]
}

/** Subscribes to all. Gives also the secrets that were made up on the way. */
export async function subscribeAll(
  api: string,
  all: readonly Wish[],
): Promise<{ subscriptions: Subscription[]; secrets: string[] }> {
  const subscriptions: Subscription[] = []
  const secrets: string[] = []
  for (const wish of all) {
    const { uuid } = await ask<{ uuid: string }>(wish.user, 'POST', `${api}/eventmatch`, {
      ...{ name: wish.name, jsonpath: wish.jsonpath, target_url: wish.url },
      ...{ auth: wish.auth ?? {}, retry: { max_attempts: 50, delays: wish.delays ?? soon } },
      ...(wish.paused ? { disabled: new Date().toISOString() } : {}),
    })
    if (wish.signed) {
      const path = `${api}/eventmatch/${uuid}/secret`
      secrets.push((await ask<{ secret: string }>(wish.user, 'POST', path)).secret)
    }
    subscriptions.push({ ...wish, uuid })
  }
  return { subscriptions, secrets }
}

export async function enable(api: string, { uuid, user }: Subscription): Promise<void> {
  await ask(user, 'PUT', `${api}/eventmatch/${uuid}`, { disabled: null })
}

async function ask<T>(user: string, method: string, url: string, body?: object): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: {
      'http-remote-user': user,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text}`)
  return JSON.parse(text) as T
}
