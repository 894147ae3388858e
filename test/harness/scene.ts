/** The API of notifications over a database of its own, and the steps of the pipeline by hand: nothing happens by itself. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event } from '@pacifica/core'
import { createEgress, createHealth, createMetrics, type HttpApp } from '@pacifica/platform'
import { eventStore } from '../../apps/notifications/src/accept/event-store.ts'
import { acceptMetrics } from '../../apps/notifications/src/accept/metrics.ts'
import { receiver } from '../../apps/notifications/src/accept/receive.ts'
import { createApi } from '../../apps/notifications/src/api.ts'
import type { PolicyAnswer } from '../../apps/notifications/src/authorize/policy-client.ts'
import { policyStore } from '../../apps/notifications/src/authorize/policy-store.ts'
import { pipelineBells } from '../../apps/notifications/src/bells.ts'
import { ACCEPT, readNotificationsConfig } from '../../apps/notifications/src/config.ts'
import type { Availability } from '../../apps/notifications/src/database/availability.ts'
import { PrismaClient } from '../../apps/notifications/src/database/generated/client.ts'
import {
  type ClaimedDelivery,
  claimDeliveries,
} from '../../apps/notifications/src/deliver/claim.ts'
import { type Outcome, settle } from '../../apps/notifications/src/deliver/delivery.ts'
import { recordResults } from '../../apps/notifications/src/deliver/record.ts'
import { DEFAULT_RETRY } from '../../apps/notifications/src/deliver/retry.ts'
import { createIdentify } from '../../apps/notifications/src/identity/index.ts'
import { liveSubscriptions } from '../../apps/notifications/src/match/live-subscriptions.ts'
import { matchStore } from '../../apps/notifications/src/match/match-store.ts'
import { loadSecrets } from '../../apps/notifications/src/subscriptions/auth.ts'
import { type NewRow, subscriptionStore } from '../../apps/notifications/src/subscriptions/store.ts'
import { emptyTables } from './due-deliveries.ts'
import { type Engine, silentLog as log, openMigrated } from './migrated-database.ts'

const minute = 60_000
export const YES: PolicyAnswer = { kind: 'allowed', status: 200, body: 'yes' }
export const NO: PolicyAnswer = { kind: 'denied', status: 412, body: 'no' }
export const REFUSED: Outcome = { kind: 'refused', status: 500, body: 'oh', reason: 'answered 500' }
export const ACCEPTED: Outcome = { kind: 'accepted', status: 200, body: 'ok' }

export type Scene = Awaited<ReturnType<typeof openScene>>

/** `fresh`: what Policy answers when the API asks it; `publishTrouble`: why no dispatch can be published. */
export async function openScene(
  engine: Engine,
  fresh: () => PolicyAnswer = () => YES,
  publishTrouble: () => string | undefined = () => undefined,
) {
  const home = await openMigrated(engine, 'notifications')
  const folder = await mkdtemp(join(tmpdir(), 'scene-'))
  const prisma = new PrismaClient({ adapter: home.database.adapter })
  const app = await openApi(home.database, prisma, folder, { fresh, publishTrouble })
  return {
    home,
    sql: home.database,
    prisma,
    app,
    ...pipeline(home.database, prisma),
    as: (user: string) => asking(app, user),
    /** No subscription, no event, and nothing that came of them. */
    empty: () => emptyTables(home.database),
    async close() {
      await app.close()
      await prisma.$disconnect()
      await home.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Home = Awaited<ReturnType<typeof openMigrated>>['database']

/** A scene's database is always there, so nothing is ever spooled. */
const THERE: Availability = {
  away: false,
  lost() {},
  working() {},
  suspect() {},
  onBack() {},
}
const NO_SPOOL = { add: () => Promise.reject(new Error('a scene has no spool')) }

async function openApi(
  database: Home,
  prisma: PrismaClient,
  folder: string,
  {
    fresh,
    publishTrouble,
  }: { fresh: () => PolicyAnswer; publishTrouble: () => string | undefined },
): Promise<HttpApp> {
  const config = readNotificationsConfig({ env: { POLICY_URL: 'allow-all', DATA_DIR: folder } })
  const bells = pipelineBells(database)
  const metrics = createMetrics()
  const trusted = { userHeader: 'Http-Remote-User', trustedProxies: ['127.0.0.0/8'] }
  return createApi(
    {
      ...{ log, metrics, health: createHealth(), database, bells },
      availability: THERE,
      acceptMetrics: acceptMetrics(metrics),
      receiver: receiver(
        {
          store: eventStore({ sql: database }),
          spool: NO_SPOOL,
          availability: THERE,
          log,
        },
        ACCEPT,
      ),
      guard: () => {},
      identify: createIdentify({ ...trusted, adminUsers: ['root'] }),
      secrets: loadSecrets(join(folder, 'key')),
      subscriptions: subscriptionStore({ prisma }),
      egress: createEgress({ log }, { allow: [], deny: [], userAgent: 'test' }),
      publishTrouble,
      policy: { ask: async () => fresh(), close: async () => {} },
      stopping: new AbortController().signal,
    },
    config,
    { version: '0' },
  )
}

/** Requests of one user. */
function asking(app: HttpApp, user: string) {
  const headers = { 'http-remote-user': user }
  const send = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
    const reply = await app.inject({ method, url, headers, ...(payload ? { payload } : {}) })
    // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of every kind
    const body: any = reply.body === '' ? undefined : reply.json()
    return { status: reply.statusCode, body, link: reply.headers.link as string | undefined }
  }
  return {
    get: (url: string) => send('GET', url),
    post: (url: string, payload?: object) => send('POST', url, payload),
    delete: (url: string) => send('DELETE', url),
  }
}

function pipeline(sql: Home, prisma: PrismaClient) {
  let number = 0
  const anEvent = (type: string, source = '/s') => {
    number += 1
    const members = { cloudEventsVersion: '0.1', eventType: type, source, eventID: `e${number}` }
    return Event.parse(JSON.stringify({ ...members, data: [{ key: 'Tag', value: 'x' }] }))
  }
  const accept = async (event: Event) => (await eventStore({ sql }).insert([event]))[0]?.uuid ?? ''
  const match = async () => {
    const store = matchStore({ sql })
    const claimed = await store.claimTogether(1000)
    const live = liveSubscriptions({ sql })
    await live.refresh()
    const found = claimed.map((event) => ({
      event,
      ...live.match(Event.parse(event.jsondata)),
      unreadable: null,
    }))
    await store.record(found)
  }
  const answer = async (said: PolicyAnswer) => {
    const store = policyStore({ sql })
    for (const question of await store.claim(1000, minute))
      await store.record(question, said, minute)
  }
  const claim = () => claimDeliveries(sql, { limit: 1000, leaseMs: minute, policyTtlMs: minute })
  const finish = async (
    deliveries: readonly ClaimedDelivery[],
    outcome: Outcome,
    attempts = 10,
  ) => {
    const retry = { ...DEFAULT_RETRY, maxAttempts: attempts }
    const results = deliveries.map((delivery) => ({
      ...{ delivery, outcome, beganAgoMs: 5, durationMs: 5 },
      settlement: settle(delivery, outcome, { ...retry, ...delivery.retry }, 0.5),
    }))
    await recordResults(sql, results)
  }
  return {
    anEvent,
    accept,
    match,
    answer,
    claim,
    finish,
    /** Claims what is due and settles it; an attempt that fails is the last one. */
    async deliver(outcome: Outcome): Promise<readonly ClaimedDelivery[]> {
      const claimed = await claim()
      await finish(claimed, outcome, 1)
      return claimed
    },
    subscribe: (type: string, user: string, row: Partial<NewRow> = {}) =>
      subscriptionStore({ prisma }).create({
        ...{ name: type, user, targetUrl: 'http://example.org/' },
        jsonpath: `$[?(@.eventType = "${type}")]`,
        ...row,
      }),
  }
}
