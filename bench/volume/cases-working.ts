/** What the workers of notifications do, and what people have them do: accept, match, ask, deliver, replay, purge. */
import { randomUUID } from 'node:crypto'
import { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'
import { eventStore } from '../../apps/notifications/src/accept/event-store.ts'
import { policyStore } from '../../apps/notifications/src/authorize/policy-store.ts'
import { retryEvents } from '../../apps/notifications/src/cli/retry-events.ts'
import { releaseOrphans } from '../../apps/notifications/src/database/release-orphans.ts'
import { DEFAULT_CAPS } from '../../apps/notifications/src/deliver/caps.ts'
import { type ClaimedDelivery, lookAtDue } from '../../apps/notifications/src/deliver/claim.ts'
import { claimTurns } from '../../apps/notifications/src/deliver/claim-turns.ts'
import { settle } from '../../apps/notifications/src/deliver/delivery.ts'
import { inFlight } from '../../apps/notifications/src/deliver/in-flight.ts'
import {
  followAll,
  followDeliveries,
  followThese,
} from '../../apps/notifications/src/deliver/lanes.ts'
import { adjustRamps } from '../../apps/notifications/src/deliver/ramp.ts'
import { type Result, recordResults } from '../../apps/notifications/src/deliver/record.ts'
import { DEFAULT_RETRY } from '../../apps/notifications/src/deliver/retry.ts'
import { matchEventAgain, retryEvent } from '../../apps/notifications/src/history/retry.ts'
import { liveSubscriptions } from '../../apps/notifications/src/match/live-subscriptions.ts'
import { matchStore } from '../../apps/notifications/src/match/match-store.ts'
import type { Case } from './case.ts'
import type { Known } from './known.ts'

export function workingCases(known: Known): Case[] {
  return [...accepting(), ...matching(known), ...asking(), ...delivering(known), ...again(known)]
}

/** Events of the usual size, none of which was there before. */
export function newEvents(many: number): Event[] {
  return Array.from({ length: many }, () =>
    Event.parse(
      JSON.stringify({
        ...{
          cloudEventsVersion: '0.1',
          eventType: 'org.pacifica.metadata.ingest',
          source: '/bench',
        },
        ...{
          eventID: randomUUID(),
          data: [{ destinationTable: 'Transactions._id', value: 'x'.repeat(1_300) }],
        },
      }),
    ),
  )
}

function accepting(): Case[] {
  return [
    {
      name: 'POST /receive: 20 together, one of them again',
      async run({ database }) {
        const store = eventStore({ sql: database })
        const events = newEvents(20)
        const [first] = await store.insert(events)
        await store.insert(events.slice(0, 1))
        await store.alias([{ uuid: randomUUID(), event: first?.uuid ?? randomUUID() }])
      },
    },
  ]
}

function matching({ largest, smaller, event }: Known): Case[] {
  return [
    {
      name: 'match: what a worker reads of subscriptions, at its start and then',
      async run({ database }) {
        const live = liveSubscriptions({ sql: database })
        await live.refresh()
        await live.refresh()
      },
    },
    {
      name: 'match: claim 100, hand some back, record the others',
      async run({ database }) {
        const store = matchStore({ sql: database })
        const claimed = await store.claimTogether(100)
        await store.handBack(claimed.slice(0, 10))
        const match = {
          subscription: largest,
          owner: 'user 0',
          disabled: false,
          failure: undefined,
        }
        const matches = [match]
        await store.record(
          claimed
            .slice(10)
            .map((each) => ({ event: each, matches, recovered: [], unreadable: null })),
        )
      },
    },
    {
      name: 'match: record 50 with what Policy has said, claim deliveries as they are stored',
      async run({ database }) {
        const store = matchStore({ sql: database })
        const claimed = await store.claimTogether(50)
        const { limit, leaseMs, policyTtlMs } = CLAIM
        const { own } = inFlight()
        const room = { limit, leaseMs, policyTtlMs, caps: DEFAULT_CAPS, dispatching: true, own }
        const yes = { kind: 'allowed', status: 200, body: 'yes' } as const
        const recorded = await store.record(
          claimed.map((each, index) => ({
            event: each,
            matches: [
              {
                subscription: index % 2 ? largest : smaller,
                owner: 'user 0',
                disabled: false,
                failure: undefined,
              },
            ],
            ...{ recovered: [], unreadable: null },
            answers: [{ owner: 'user 0', answer: yes, askAgainMs: 0, at: performance.now() }],
          })),
          room,
        )
        const results = recorded.claimed.map((delivery) => resultOf(delivery, true))
        await recordResults(database, results)
        await recordResults(database, results) // the answer was lost with the connection
      },
    },
    {
      name: 'match: alone, given up, failing expressions',
      async run({ database }) {
        const store = matchStore({ sql: database })
        await store.claimAlone()
        await store.giveUp()
        const streak = {
          subscription: largest,
          run: 1,
          recovered: false,
          failed: 1,
          lastReason: 'no',
        }
        await store.countFailures(streak)
        await matchEventAgain(database, event)
      },
    },
  ]
}

function asking(): Case[] {
  const minute = 60_000
  return [
    {
      name: 'authorize: claim 50 questions, record a yes, a no and no answer',
      async run({ database }) {
        const store = policyStore({ sql: database })
        const [yes, no, none] = await store.claim(50, minute)
        if (yes) await store.record(yes, { kind: 'allowed', status: 200, body: 'yes' }, minute)
        if (no) await store.record(no, { kind: 'denied', status: 412, body: 'no' }, minute)
        if (none)
          await store.record(none, { kind: 'unanswered', status: 503, reason: 'away' }, minute)
      },
    },
  ]
}

const CLAIM = { limit: 50, leaseMs: 60_000, policyTtlMs: 600_000, caps: DEFAULT_CAPS }

/** The claim's statement is not made again when it comes late: the turn of this transaction is its own. */
export async function claimAndDeliver(sql: Sql): Promise<number> {
  const { claimed, follow } = await lookAtDue(sql, CLAIM)
  const results = claimed.map((delivery, index) => resultOf(delivery, index % 5 !== 0))
  await adjustRamps(sql, results, DEFAULT_CAPS.subscription)
  if (results.length > 0) await recordResults(sql, results)
  await followDeliveries(sql, [...follow, ...claimed.map(({ subscription }) => subscription)])
  return claimed.length
}

function resultOf(delivery: ClaimedDelivery, isWell: boolean): Result {
  const outcome = isWell
    ? ({ kind: 'accepted', status: 200, body: 'ok' } as const)
    : ({ kind: 'refused', status: 503, body: 'away', reason: 'answered 503' } as const)
  const settlement = settle(delivery, outcome, DEFAULT_RETRY, 0.5)
  return { delivery, outcome, settlement, beganAgoMs: 20, durationMs: 20 }
}

function delivering({ largest, event }: Known): Case[] {
  return [
    { name: 'deliver: claim 50, record them', run: ({ database }) => claimAndDeliver(database) },
    {
      name: 'deliver: claim 50 while all that is due is due long since',
      async run({ database }) {
        await database.query(`UPDATE policy_answer SET answered = now() WHERE state = 'allowed'
          AND (event, owner) IN (SELECT event, owner FROM delivery WHERE state = 'retrying')`)
        await claimAndDeliver(database)
      },
    },
    {
      name: 'deliver: the turn taken first',
      async run({ database }) {
        const inTurn = claimTurns({ database, now: () => 0, inFlight: inFlight() })
        for (const late of [true, false]) await inTurn(async () => ({ late, claimed: [] }))
      },
    },
    { name: 'deliver: all lanes', run: ({ database }) => followAll(database) },
    {
      name: 'deliver: the largest lane',
      run: ({ database }) => followDeliveries(database, [largest]),
    },
    {
      name: 'deliver: the lanes of deliveries',
      run: ({ database }) => followThese(database, [event]),
    },
    {
      name: 'at the start of an embedded service',
      run: ({ database }) => releaseOrphans(database),
    },
  ]
}

function again({ event, unmatchable, old, admin }: Known): Case[] {
  return [
    {
      name: 'POST /events/UUID/retry',
      run: ({ database }) =>
        retryEvent(database, event, { states: ['delivered', 'exhausted'] }, admin),
    },
    {
      name: 'POST /events/UUID/retry of what is unmatchable',
      run: ({ database }) => matchEventAgain(database, unmatchable),
    },
    { name: 'eventretry', run: ({ database }) => retryEvents(database, [event, old]) },
  ]
}
