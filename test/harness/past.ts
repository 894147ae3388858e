/** Backtests over a scene: events of the past, a worker's turns by hand, and a Policy that says what a test wants. */
import { Event } from '@pacifica/core'
import type { Database } from '@pacifica/platform'
import type { PolicyAnswer } from '../../apps/notifications/src/authorize/policy-client.ts'
import {
  type BacktestOptions,
  backtestStep,
} from '../../apps/notifications/src/backtest/backtest.ts'
import { createGate } from '../../apps/notifications/src/backtest/gate.ts'
import { silentLog as log } from './migrated-database.ts'
import { NO, type Scene, YES } from './scene.ts'

const minute = 60_000

/** A worker that never rests and remembers no answer of Policy; every option can be another. */
export const EAGER: BacktestOptions = {
  ...{
    leaseMs: 10 * minute,
    perUser: 10,
    inAll: 10,
    turnMs: 10 * minute,
    atOnce: 2,
    questions: 1000,
  },
  ...{ silenceMs: 0, share: 100, sliceMs: 1000, keepMs: 1_000 * minute },
  batch: { events: 3, bytes: 1_000_000, ttlMs: minute },
}

export type Says = (user: string, event: Event) => PolicyAnswer

/** Yes to every event but those of the type `secret`. */
export const NO_SECRETS: Says = (_user, event) => (event.type === 'secret' ? NO : YES)

export function past(scene: Scene, says: () => Says = () => NO_SECRETS) {
  const asked: { user: string; id: string }[] = []
  const stopping = new AbortController()
  let number = 0
  const ask = async (user: string, body: string) => {
    const event = Event.parse(body)
    asked.push({ user, id: event.id })
    return says()(user, event)
  }
  const counted = { looked: 0, asked: 0, ended: [] as string[] }
  const metrics = {
    looked(events: number) {
      counted.looked += events
    },
    asked(questions: number) {
      counted.asked += questions
    },
    ended(state: string) {
      counted.ended.push(state)
    },
  }
  const worker = (options: Partial<BacktestOptions> = {}, database: Database = scene.sql) => {
    const now = () => performance.now()
    const gate = createGate(
      { policy: { ask }, stopping: stopping.signal, now },
      { ttlMs: 0, most: 1 },
    )
    const needs = { database, gate, metrics, log, now, stopping: stopping.signal }
    return backtestStep(needs, { ...EAGER, ...options })
  }
  return {
    asked,
    counted,
    worker,
    /** An event that was accepted at that time. */
    async event(time: string, type: string, data: unknown = {}): Promise<string> {
      number += 1
      const members = { cloudEventsVersion: '0.1', eventType: type, source: '/past' }
      const event = Event.parse(JSON.stringify({ ...members, eventID: `past-${number}`, data }))
      const uuid = await scene.accept(event)
      await scene.sql.query('UPDATE eventlog SET created = $2 WHERE uuid = $1', [uuid, time])
      return uuid
    },
    async start(user: string, body: object) {
      const reply = await scene.as(user).post('/eventmatch/backtest', body)
      if (reply.status !== 202) throw new Error(JSON.stringify(reply.body))
      return `/eventmatch/backtest/${reply.body.uuid}`
    },
    /** To the end of everything that is due. */
    async run(options: Partial<BacktestOptions> = {}, database?: Database): Promise<number> {
      const step = worker(options, database)
      let turns = 0
      while (await step()) turns += 1
      return turns
    },
  }
}
