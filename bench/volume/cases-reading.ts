/** What people ask of notifications: lists, pages of them, single things. */
import { createMetrics } from '@pacifica/platform'
import { findEvents } from '../../apps/notifications/src/cli/find-events.ts'
import { deadLetterGauge } from '../../apps/notifications/src/dead/metrics.ts'
import {
  type LetterFilter,
  listLetters,
  openLetter,
  standingOf,
} from '../../apps/notifications/src/dead/store.ts'
import { DEFAULT_CAPS } from '../../apps/notifications/src/deliver/caps.ts'
import { laneGauges } from '../../apps/notifications/src/deliver/lane-metrics.ts'
import { waitingReasons } from '../../apps/notifications/src/deliver/waiting.ts'
import {
  deliveriesOfSubscription,
  findDelivery,
} from '../../apps/notifications/src/history/deliveries.ts'
import { findContent, findEvent } from '../../apps/notifications/src/history/find-event.ts'
import { type EventFilter, listEvents } from '../../apps/notifications/src/history/list-events.ts'
import type { Viewer } from '../../apps/notifications/src/history/viewer.ts'
import { backlogGauges } from '../../apps/notifications/src/metrics.ts'
import { findJob, listJobs } from '../../apps/notifications/src/recover/job-store.ts'
import { storedPolicy } from '../../apps/notifications/src/subscriptions/explain-policy.ts'
import type { Case } from './case.ts'
import type { Known } from './known.ts'
import { storeOn } from './prisma.ts'

const limit = 100

export function readingCases(known: Known): Case[] {
  return [
    ...eventLists('an admin', known, known.admin),
    ...eventLists('the user with the most', known, known.most),
    ...eventLists('a usual user', known, known.usual),
    ...deliveryLists(known),
    ...letterLists(known),
    ...subscriptionLists(known),
    ...singleThings(known),
    ...commands(known),
    gauges,
  ]
}

function eventLists(who: string, { middle, farBack, aWeekAgo }: Known, viewer: Viewer): Case[] {
  const filters: Record<string, Partial<EventFilter>> = {
    'the first page': {},
    'a page of 1 000': { limit: 1_000 },
    'a page in the middle': { after: middle },
    'a week long ago': {
      since: new Date(farBack.getTime()),
      until: new Date(farBack.getTime() + 604_800_000),
    },
    'since a week ago': { since: aWeekAgo },
    'a usual type': { type: 'org.pacifica.metadata.ingest' },
    'a rare type': { type: 'org.pacifica.metadata.rare' },
    'a type that is not there': { type: 'nothing' },
    'a usual source': { source: 'http://metadata.pacifica.org/instrument/5' },
    'a rare source': { source: 'http://metadata.pacifica.org/instrument/rare' },
    'a type and a source': {
      type: 'org.pacifica.metadata.update',
      source: 'http://metadata.pacifica.org/instrument/5',
    },
    'new': { state: 'new' },
    unmatchable: { state: 'unmatchable' },
    delivered: { state: 'delivered' },
    exhausted: { state: 'exhausted' },
    'exhausted, in the middle': { state: 'exhausted', after: middle },
    delivering: { state: 'delivering' },
    'exhausted, of a rare type': { state: 'exhausted', type: 'org.pacifica.metadata.rare' },
  }
  return Object.entries(filters).map(([what, filter]) => ({
    name: `GET /events as ${who}: ${what}`,
    run: ({ database }) => listEvents(database, { limit, ...filter }, viewer),
  }))
}

function deliveryLists({ largest, smaller, middle }: Known): Case[] {
  const of = (
    name: string,
    subscription: string,
    filter: Partial<Parameters<typeof deliveriesOfSubscription>[2]>,
  ): Case => ({
    name: `GET /eventmatch/UUID/deliveries of ${name}`,
    run: ({ database }) => deliveriesOfSubscription(database, subscription, { limit, ...filter }),
  })
  return [
    of('the largest: the first page', largest, {}),
    of('the largest: a page of 1 000', largest, { limit: 1_000 }),
    of('the largest: a page in the middle', largest, { after: middle }),
    of('the largest: delivered', largest, { state: 'delivered' }),
    of('the largest: exhausted', largest, { state: 'exhausted' }),
    of('the largest: held', largest, { state: 'held' }),
    of('a smaller one: the first page', smaller, {}),
  ]
}

function letterLists({ middle, aWeekAgo }: Known): Case[] {
  const filters: Record<string, Partial<LetterFilter>> = {
    'the first page': {},
    'a page in the middle': { after: middle },
    'a usual queue': { queue: 'pacifica.receive' },
    'a rare queue': { queue: 'pacifica.tasks' },
    dead: { state: 'dead' },
    'dead, of a rare queue': { state: 'dead', queue: 'pacifica.tasks' },
    'since a week ago': { since: aWeekAgo },
  }
  return Object.entries(filters).map(([what, filter]) => ({
    name: `GET /dead: ${what}`,
    run: ({ database }) => listLetters(database, { limit, ...filter }),
  }))
}

function subscriptionLists({ most, usual, largest, smaller, middle }: Known): Case[] {
  return [
    {
      name: 'GET /eventmatch as the user with the most: all',
      run: (ports) => storeOn(ports).ofUser(most.user),
    },
    {
      name: 'GET /eventmatch as the user with the most: the first page',
      run: (ports) => storeOn(ports).ofUser(most.user, { limit }),
    },
    {
      name: 'GET /eventmatch as a usual user: a page',
      run: (ports) => storeOn(ports).ofUser(usual.user, { limit, after: smaller }),
    },
    { name: 'GET /eventmatch/UUID', run: (ports) => storeOn(ports).find(largest) },
    {
      name: 'GET /eventmatch/UUID/recover',
      run: ({ database }) => listJobs(database, largest, { after: undefined, limit }),
    },
    {
      name: 'GET /eventmatch/UUID/recover: a page',
      run: ({ database }) => listJobs(database, largest, { after: middle, limit }),
    },
    {
      name: 'GET /eventmatch/UUID/recover/UUID',
      run: async ({ database }) => {
        const [job] = await listJobs(database, largest, { after: undefined, limit })
        return findJob(database, largest, job?.uuid ?? largest)
      },
    },
  ]
}

function singleThings({ admin, usual, event, old, letter, largest }: Known): Case[] {
  const nothing = 'ffffffff-ffff-4fff-bfff-ffffffffffff'
  return [
    {
      name: 'GET /events/UUID as an admin',
      run: ({ database }) => findEvent(database, event, admin),
    },
    {
      name: 'GET /events/UUID as a usual user',
      run: ({ database }) => findEvent(database, event, usual),
    },
    {
      name: "GET /events/UUID of the Python service's time",
      run: ({ database }) => findEvent(database, old, usual),
    },
    {
      name: 'GET /events/UUID: there is none',
      run: ({ database }) => findEvent(database, nothing, usual),
    },
    { name: 'the content of an event', run: ({ database }) => findContent(database, event, usual) },
    { name: 'what Policy said', run: ({ database }) => storedPolicy(database, event, usual.user) },
    { name: 'a delivery', run: ({ database }) => findDelivery(database, nothing) },
    {
      name: 'why deliveries wait',
      run: ({ database }) => waitingReasons(database, [largest], DEFAULT_CAPS),
    },
    { name: 'GET /dead/UUID', run: ({ database }) => openLetter(database, letter, 65_536) },
    { name: 'how a dead letter stands', run: ({ database }) => standingOf(database, letter) },
  ]
}

function commands({ event, farBack }: Known): Case[] {
  const ask = (name: string, uuids: string[], start: string | null): Case => ({
    name: `eventget ${name}`,
    run: async ({ database }) => {
      const found = []
      for await (const each of findEvents(database, { uuids, start, end: null, limit: 40 }))
        found.push(each)
      return found
    },
  })
  return [
    ask('of one event', [event], null),
    ask('of the newest', [], null),
    ask('since long ago', [], farBack.toISOString()),
  ]
}

const gauges: Case = {
  name: 'GET /metrics',
  async run({ database }) {
    const metrics = createMetrics()
    backlogGauges({ metrics, sql: database })
    laneGauges({ metrics, sql: database }, DEFAULT_CAPS)
    deadLetterGauge({ metrics, sql: database })
    await metrics.text()
  },
}
