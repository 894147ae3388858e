/** From what a request says to what is stored. */

import { randomUUID } from 'node:crypto'
import type { EventMatch } from '../database/generated/client.ts'
import type { Secrets } from './auth.ts'
import { canonicalUuid } from './check.ts'
import type { NewSubscription, RetryOverride, SubscriptionChanges } from './schema.ts'
import type { Columns, NewRow } from './store.ts'

/** The columns of a new subscription of `user`, its secrets sealed. */
export function newRow(
  secrets: Secrets,
  given: NewSubscription,
  user: string,
): NewRow & { uuid: string } {
  const uuid = (given.uuid && canonicalUuid(given.uuid)) ?? randomUUID()
  const { name, jsonpath, target_url: targetUrl } = given
  return {
    uuid,
    user,
    ...columnsOf(secrets, given, { uuid, auth: '{}' }),
    name,
    jsonpath,
    targetUrl,
  }
}

/** The columns that an update changes: those that it names. */
export function changedColumns(
  secrets: Secrets,
  given: SubscriptionChanges,
  stored: EventMatch,
): Partial<Columns> {
  return columnsOf(secrets, given, stored)
}

function columnsOf(
  secrets: Secrets,
  given: SubscriptionChanges,
  stored: Pick<EventMatch, 'uuid' | 'auth'>,
): Partial<Columns> {
  const columns: Partial<Columns> = {}
  if (given.name !== undefined) columns.name = given.name
  if (given.jsonpath !== undefined) columns.jsonpath = given.jsonpath
  if (given.target_url !== undefined) columns.targetUrl = given.target_url
  if (given.version !== undefined) columns.version = given.version
  if (given.dialect !== undefined) columns.dialect = given.dialect
  if (given.extensions !== undefined) columns.extensions = JSON.stringify(given.extensions)
  if (given.auth !== undefined) columns.auth = secrets.sealAuth(given.auth, stored)
  if (given.max_concurrency !== undefined) columns.maxConcurrency = given.max_concurrency
  if (given.retry !== undefined) columns.retry = retryOf(given.retry)
  if (given.disabled !== undefined) Object.assign(columns, disabledOf(given.disabled))
  return columns
}

/** Enabling clears the error; a time pauses. */
function disabledOf(disabled: string | null): Pick<Columns, 'disabled'> & { error?: null } {
  return disabled === null ? { disabled: null, error: null } : { disabled: new Date(disabled) }
}

/** Seconds on the wire, milliseconds inside. */
function retryOf(retry: RetryOverride | null): object | null {
  if (retry === null) return null
  const { max_attempts: maxAttempts, delays } = retry
  return {
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(delays === undefined ? {} : { delaysMs: delays.map((seconds) => seconds * 1000) }),
  }
}
