/**
 * A test event for one subscription alone: stored as matched, so that nobody else gets it, with a delivery that goes the
 * real way (target, egress, secrets, signature) but once, and Policy's answer given by us, because the event is ours.
 */
import { randomUUID } from 'node:crypto'
import { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'
import type { EventMatch } from '../database/generated/client.ts'
import { followDeliveries } from '../deliver/lanes.ts'

export const TEST_TYPE = 'org.pacifica.notifications.test'
export const TEST_SOURCE = '/pacifica/notifications/test'

export interface TestDelivery {
  readonly event: string
  readonly delivery: string
}

export class SubscriptionDisabledError extends Error {
  readonly code = 'SUBSCRIPTION_DISABLED'
  constructor({ uuid, error }: Pick<EventMatch, 'uuid' | 'error'>) {
    super(
      `subscription ${uuid} is disabled, so nothing is sent: enable it first, PUT {"disabled": null}` +
        (error === null ? '' : ` (it was disabled because: ${error})`),
    )
  }
}

/** @param now of the event's time */
export function testEvent(
  subscription: Pick<EventMatch, 'uuid' | 'name' | 'user'>,
  now: Date,
): Event {
  const { uuid, name, user } = subscription
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: TEST_TYPE,
      source: TEST_SOURCE,
      eventID: randomUUID(),
      eventTime: now.toISOString(),
      extensions: {},
      contentType: 'application/json',
      data: { test: true, message: TEXT, subscription: { uuid, name, user } },
    }),
  )
}

const TEXT = 'This is a test: nothing happened. Pacifica notifications can reach this target.'

// One statement, one transaction: the event is never there without its delivery, and never to be matched.
const insert = `
  WITH stored AS (
    INSERT INTO eventlog (uuid, jsondata, spec_version, source, event_id, event_type, event_time, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING uuid, created),
  its_state AS (
    INSERT INTO event_state (event, received, state, matched, match_count, due)
    SELECT uuid, created, 'matched', now(), 1, NULL FROM stored),
  answered AS (
    INSERT INTO policy_answer (event, owner, state, body, answered, due)
    SELECT uuid, $10, 'allowed', 'a test event of this service: Policy was not asked', now(), NULL FROM stored)
  INSERT INTO delivery (event, subscription, owner, state, due, received, test)
  SELECT uuid, $9, $10, 'pending', now(), created, true FROM stored
  RETURNING event, uuid AS delivery`

export async function storeTest(
  sql: Sql,
  event: Event,
  subscription: Pick<EventMatch, 'uuid' | 'user'>,
): Promise<TestDelivery> {
  const { text, specVersion, source, id, type, time, digest } = event
  const stored = [randomUUID(), text, specVersion, source, id, type, time, digest]
  const rows = await sql.query<TestDelivery>(insert, [
    ...stored,
    subscription.uuid,
    subscription.user,
  ])
  await followDeliveries(sql, [subscription.uuid])
  return rows[0] as TestDelivery
}
