/** What joins ask of a dispatcher's tables. */
import { randomUUID } from 'node:crypto'
import type { Database, Sql } from '@pacifica/platform'
import { cancelJoin, endDue, nextDeadline } from '../../apps/dispatcher/src/joins/end.ts'
import { fillSlot, type Place } from '../../apps/dispatcher/src/joins/fill.ts'
import {
  type JoinFilter,
  listJoins,
  readJoin,
  readJoinBacklog,
} from '../../apps/dispatcher/src/joins/list.ts'
import { purgeJoins } from '../../apps/dispatcher/src/joins/purge.ts'
import { readJoined } from '../../apps/dispatcher/src/joins/read.ts'
import { withdraw } from '../../apps/dispatcher/src/joins/withdraw.ts'
import type { Held } from '../../apps/dispatcher/src/tasks/store.ts'
import { CANCELLED } from '../../apps/dispatcher/src/tasks/task.ts'
import { afterOne, type Case } from './case.ts'

export interface KnownJoins {
  /** Open, and not past its deadline: with one event, and with two, so that the next completes it. */
  readonly one: KnownJoin
  readonly two: KnownJoin
  readonly complete: string
  /** The task of the only event of `one`. */
  readonly waiting: string
  readonly middle: string
}

interface KnownJoin {
  readonly id: string
  readonly name: string
  readonly key: string
}

const open = (events: number) => `
  (SELECT jsonb_build_object('id', j.id, 'name', j.name, 'key', j.key) FROM task_join j
   WHERE j.state = 'open' AND j.deadline > now() AND (SELECT count(*) FROM task_join_slot s WHERE s.join_id = j.id) = ${events}
   ORDER BY j.seq LIMIT 1)`

const FIND = `
  SELECT ${open(1)} AS one, ${open(2)} AS two, (SELECT max(seq) / 2 FROM task_join)::bigint::text AS middle,
    (SELECT join_run FROM task WHERE join_run IS NOT NULL ORDER BY seq DESC LIMIT 1) AS complete`

export async function lookAtJoins(sql: Sql): Promise<KnownJoins> {
  const [row] = await sql.query<Omit<KnownJoins, 'waiting'>>(FIND)
  const [slot] = await sql.query<{ task: string }>(
    'SELECT task FROM task_join_slot WHERE join_id = $1',
    [row?.one?.id],
  )
  if (row === undefined || slot === undefined) throw new Error('there are no joins')
  return { ...row, waiting: slot.task }
}

export function joinCases(known: KnownJoins, running: Held): Case[] {
  return [...events(known, running), ...deadlines(known), ...shown(known), ...purges()]
}

const day = 86_400_000

const PLACE: Omit<Place, 'name' | 'key' | 'slot'> = {
  ...{ slots: ['raw', 'blank', 'calibration'], deadlineMs: day, atDeadline: 'run' },
  ...{ onDuplicate: 'replace', onLate: 'refuse' },
}

function events({ one, two, waiting, complete }: KnownJoins, running: Held): Case[] {
  const fill = (name: string, where: Pick<Place, 'name' | 'key' | 'slot'>): Case => ({
    name: `an event for a join: ${name}`,
    run: ({ database }) => fillSlot(database, running, { ...PLACE, ...where }, randomUUID),
  })
  return [
    fill('the first of its key', { name: 'spectra', key: 'no such sample', slot: 'raw' }),
    fill('the second', { ...one, slot: 'blank' }),
    fill('the last', { ...two, slot: 'calibration' }),
    fill('in place of another', { ...one, slot: 'raw' }),
    {
      name: 'DELETE /tasks/ID of one that waits in a join',
      run: ({ database }) => withdraw(database, waiting, CANCELLED),
    },
    { name: 'the events of a join', run: ({ database }) => readJoined(database, complete) },
  ]
}

/** Not explained: it is ours. */
const MUCH_WAITS = `
  DO $$ BEGIN
    UPDATE task SET state = 'waiting', settled = NULL, created = now()
    WHERE id IN (SELECT id FROM task WHERE state = 'done' AND kind = 'event' LIMIT 10000);
  END $$`

function deadlines({ one }: KnownJoins): Case[] {
  const due = async (database: Database, names: string[], before = async () => {}) => {
    await before()
    await endDue(database, names, randomUUID)
    await nextDeadline(database, names)
  }
  return [
    {
      name: 'a deadline of joins: it is run',
      run: ({ database }) => due(database, ['spectra']),
    },
    {
      name: 'a deadline of joins: it fails',
      run: ({ database }) => due(database, ['reports']),
    },
    {
      name: 'a deadline of joins: none is past',
      run: ({ database }) => due(database, ['not begun']),
    },
    {
      name: 'a deadline of joins while much waits that came later',
      run: ({ database }) =>
        due(database, ['spectra', 'reports'], async () => {
          await database.query(MUCH_WAITS)
        }),
    },
    { name: 'DELETE /joins/ID', run: ({ database }) => cancelJoin(database, one.id) },
  ]
}

function shown({ one, middle }: KnownJoins): Case[] {
  const list = (what: string, filter: JoinFilter, cursor?: string): Case => ({
    name: `GET /joins: ${what}`,
    run: ({ database }) => listJoins(database, filter, { limit: 101, cursor }),
  })
  return [
    list('the first page', {}),
    list('a page in the middle', {}, middle),
    list('open', { states: ['open'] }),
    list('open, of a name', { states: ['open'], name: 'gone' }),
    list('failed or expired', { states: ['failed', 'expired'] }),
    list('failed, in the middle', { states: ['failed'] }, middle),
    list('a name', { name: 'reports' }),
    list('a name that is not there', { name: 'nothing' }),
    list('cancelled, of a name', { states: ['cancelled'], name: 'reports' }),
    list('a key', { key: one.key }),
    list('a key that is not there', { key: 'nothing', states: ['open'] }),
    { name: 'GET /joins/ID', run: ({ database }) => readJoin(database, one.id) },
    { name: 'GET /metrics: joins', run: ({ database }) => readJoinBacklog(database) },
  ]
}

function purges(): Case[] {
  return [
    {
      name: 'DISPATCHER_TASK_RETENTION: a batch of 500 joins',
      run: ({ database }) => purgeJoins(database, { olderMs: 7 * day, signal: afterOne() }),
    },
    {
      name: 'DISPATCHER_TASK_RETENTION: joins that have to stay',
      run: ({ database }) =>
        purgeJoins(database, { olderMs: 1e12, signal: new AbortController().signal }),
    },
  ]
}
