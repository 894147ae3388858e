/** What else changes the tables of notifications: subscriptions, recoveries, dead letters, task events, purges. */
import { randomUUID } from 'node:crypto'
import { purgeLetters } from '../../apps/notifications/src/dead/purge.ts'
import {
  addLetter,
  claimLetter,
  dismissLetter,
  noteFailure,
  noteResent,
} from '../../apps/notifications/src/dead/store.ts'
import { purgeEvents } from '../../apps/notifications/src/purge/purge.ts'
import { retentionStep } from '../../apps/notifications/src/purge/retention.ts'
import {
  cancelJob,
  claimJob,
  createJob,
  nextCandidates,
  recordStep,
} from '../../apps/notifications/src/recover/job-store.ts'
import { storeTest, testEvent } from '../../apps/notifications/src/subscriptions/test-event.ts'
import { storeTaskEvents } from '../../apps/notifications/src/tasks/store.ts'
import { afterOne, type Case } from './case.ts'
import type { Known } from './known.ts'
import { storeOn } from './prisma.ts'

export function keepingCases(known: Known): Case[] {
  return [
    ...subscriptions(known),
    ...recoveries(known),
    ...letters(known),
    ...purges(known),
    taskEvents(known),
  ]
}

function subscriptions({ most, largest, disabled }: Known): Case[] {
  type Store = ReturnType<typeof storeOn>
  const on = (name: string, work: (store: Store) => Promise<unknown>): Case => ({
    name,
    run: (ports) => work(storeOn(ports)),
  })
  const part = { text: '$.*', offset: 0 } as const
  const unindexed = { part, perUser: 100_000, inAll: 100_000 } as never
  const row = { name: 'new', jsonpath: '$.*', user: most.user, targetUrl: 'https://host.example/' }
  return [
    on('POST /eventmatch, by no index to be found', (store) =>
      store.create(row, 100_000, unindexed),
    ),
    on('PATCH /eventmatch/UUID: a name', (store) =>
      store.update(largest, { name: 'other' }, unindexed),
    ),
    on('PATCH /eventmatch/UUID: enabled again, with what is held', (store) =>
      store.update(disabled, { disabled: null, error: null }),
    ),
    on('DELETE /eventmatch/UUID of the largest', (store) => store.delete(largest)),
    on('a subscription is disabled', (store) =>
      store.disable(largest, 'it has only failed', 1_000),
    ),
    {
      name: 'POST /eventmatch/UUID/test',
      run({ database }) {
        const subscription = { uuid: largest, name: 'largest', user: most.user }
        return storeTest(database, testEvent(subscription, new Date()), subscription)
      },
    },
    on('signing', async (store) => {
      await store.rotateSigning(largest, 'sealed')
      await store.stopSigning(largest)
    }),
  ]
}

function recoveries({ largest, middle }: Known): Case[] {
  const since = new Date(0)
  const asked = { subscription: largest, askedBy: 'admin', since, until: undefined }
  const step = { wanted: [], skipped: 0, waiting: undefined, finished: false, againInMs: 0 }
  return [
    {
      name: 'POST /eventmatch/UUID/recover of the largest: all it ever got, and two steps of it',
      async run({ database }) {
        await createJob(database, { ...asked, states: ['delivered', 'exhausted'] })
        const job = await claimJob(database)
        if (job === undefined) return
        const found = await nextCandidates(database, job, 50)
        const wanted = found.map(({ uuid }) => uuid)
        await recordStep(database, job, { ...step, wanted, upTo: found.at(-1)?.uuid })
        await nextCandidates(database, job, 50)
      },
    },
    {
      name: 'POST /eventmatch/UUID/recover of the largest: what was exhausted lately, and a step of it',
      async run({ database }) {
        await createJob(database, {
          ...asked,
          since: new Date(middle.micros / 1000),
          states: ['exhausted', 'failed'],
        })
        const job = await claimJob(database)
        if (job !== undefined) await nextCandidates(database, job, 50)
      },
    },
    {
      name: 'DELETE /eventmatch/UUID/recover/UUID',
      async run({ database }) {
        const { uuid } = await createJob(database, { ...asked, states: ['failed'] })
        await cancelJob(database, largest, uuid, 'enough')
      },
    },
  ]
}

function letters({ letter, aWeekAgo }: Known): Case[] {
  const message = {
    ...{
      key: randomUUID(),
      exchange: '',
      routingKey: 'pacifica.receive',
      properties: {},
      headers: {},
    },
    ...{ body: Buffer.from('no event'), death: undefined },
  }
  return [
    {
      name: 'a dead letter is taken',
      run: ({ database }) => addLetter(database, message as never, 'it holds no event'),
    },
    {
      name: 'POST /dead/UUID/resend',
      async run({ database }) {
        const claimed = await claimLetter(database, letter, 60_000)
        await noteFailure(database, letter, claimed?.claim ?? 0, 'away')
        await noteResent(database, letter, claimed?.claim ?? 0, 'admin')
      },
    },
    { name: 'DELETE /dead/UUID', run: ({ database }) => dismissLetter(database, letter, 'admin') },
    {
      name: 'RETENTION: a batch of dead letters',
      run: ({ database }) => purgeLetters(database, { before: aWeekAgo, signal: afterOne() }),
    },
  ]
}

function purges({ event, aWeekAgo }: Known): Case[] {
  const log = { info: () => {}, warn: () => {} }
  return [
    {
      name: 'RETENTION: a batch of 500 events',
      run: ({ database }) =>
        purgeEvents(database, {
          which: { before: aWeekAgo },
          pendingToo: 'held',
          signal: afterOne(),
        }),
    },
    {
      name: 'RETENTION: there is nothing to do',
      run: ({ database }) =>
        retentionStep(
          { database, log, signal: new AbortController().signal },
          { retentionMs: 1e11 },
        )(),
    },
    {
      name: 'eventpurge of one event',
      run: ({ database }) =>
        purgeEvents(database, { which: { uuids: [event] }, pendingToo: 'all' }),
    },
  ]
}

function taskEvents({ event }: Known): Case {
  const time = new Date().toISOString()
  return {
    name: 'a dispatcher tells of 100 tasks',
    async run({ database }) {
      const rows = await database.query<{ uuid: string }>(
        'SELECT uuid FROM delivery ORDER BY uuid LIMIT 100',
      )
      await storeTaskEvents(
        database,
        rows.map(({ uuid }, index) => ({
          ...{
            taskId: uuid,
            sequence: 1_000 + index,
            dispatcher: 'd',
            state: 'done',
            status: '200 OK',
            attempt: 1,
          },
          ...{
            deliveries: [{ deliveryId: uuid, replay: 0 }],
            event: { source: '/', id: event, digest: '' },
          },
          ...{ exception: null, filesTaken: 1, bytesTaken: 1, bundles: [] },
          ...{ created: time, started: time, settled: time, time },
        })),
      )
    },
  }
}
