/**
 * The subscriptions as this process knows them: indexed, brought up to date by revision before each batch.
 *
 * Fresh: a batch claims its events first and calls `refresh` afterwards, in a later statement. A subscription that was
 * committed before the event was accepted has a revision that this statement sees.
 */

import type { Event } from '@pacifica/core'
import { type Dialect, SubscriptionIndex } from '@pacifica/jsonpath'
import type { Sql } from '@pacifica/platform'

export interface Match {
  readonly subscription: string
  readonly owner: string
  readonly disabled: boolean
  /** Why the expression could not be evaluated; such a match becomes a failed delivery. */
  readonly failure: string | undefined
}

/** What the subscriptions say of one event. */
export interface Evaluation {
  readonly matches: readonly Match[]
  /** Subscriptions whose expression had failed on the last event that they saw, and did not on this. */
  readonly recovered: readonly string[]
}

export interface LiveSubscriptions {
  /** Reads what changed since the last call. */
  refresh(): Promise<void>
  /**
   * The subscriptions that an event matches. While a subscription is disabled its failures leave nothing behind, for
   * failing may be why it is.
   */
  match(event: Event): Evaluation
  readonly size: number
}

type Version = 'v0.1' | 'v1.0'

interface Live {
  readonly owner: string
  readonly disabled: boolean
  /** Why its expression is in no index. */
  readonly refused: string | undefined
}

interface Changed {
  uuid: string
  owner: string
  jsonpath: string
  dialect: Dialect
  version: Version
  disabled: boolean
  deleted: boolean
  revision: number
  failing: boolean
}

// The failing ones come each time, changed or not: any worker may have counted their failures. Two halves, each by its own
// index: one that asks for either is planned as a walk through all when it is prepared.
const half = (which: string) => `
  SELECT uuid, "user" AS owner, jsonpath, dialect, version, disabled IS NOT NULL AS disabled,
         deleted IS NOT NULL AS deleted, revision, expression_failures > 0 AND disabled IS NULL AS failing
  FROM eventmatch WHERE ${which}`
const changedSince = `
  ${half('revision > $1')}
  UNION ALL ${half('revision <= $1 AND expression_failures > 0 AND disabled IS NULL')}
  ORDER BY revision`

export function liveSubscriptions(needs: { sql: Sql }): LiveSubscriptions {
  const live = new Map<string, Live>()
  const refused = new Set<string>()
  // An expression sees the event in its subscription's version.
  const indexes = { 'v0.1': new SubscriptionIndex(), 'v1.0': new SubscriptionIndex() }
  const failing = new Set<string>()
  let known = 0

  function forget(uuid: string): void {
    for (const index of Object.values(indexes)) index.delete(uuid)
    refused.delete(uuid)
    failing.delete(uuid)
    live.delete(uuid)
  }

  /** What an earlier version of it left in the other index, or among the refused, goes. */
  function learn({ uuid, owner, disabled, ...row }: Changed): void {
    const reason = place(indexes, { uuid, ...row })
    for (const version of VERSIONS)
      if (reason !== undefined || version !== row.version) indexes[version].delete(uuid)
    if (reason === undefined) refused.delete(uuid)
    else refused.add(uuid)
    live.set(uuid, { owner, disabled, refused: reason })
  }

  /** The reasons of all that could not be evaluated, by subscription, and who matches. */
  function evaluate(event: Event): { ids: string[]; failures: Map<string, string> } {
    const failures = new Map<string, string>()
    for (const uuid of refused) failures.set(uuid, live.get(uuid)?.refused ?? '')
    const onError = (uuid: string, error: unknown) => failures.set(uuid, unevaluated(error))
    const ids = VERSIONS.flatMap((version) => {
      const index = indexes[version]
      return index.size === 0 ? [] : index.match(event.project(version), { onError })
    })
    return { ids, failures }
  }

  return {
    async refresh() {
      const rows = await needs.sql.query<Changed>(changedSince, [known], 'prepared')
      for (const row of rows) {
        // Beside those that have failed here since: that may not be stored yet.
        if (row.failing) failing.add(row.uuid)
        if (row.revision <= known) continue
        if (row.deleted) forget(row.uuid)
        else learn(row)
      }
      known = Math.max(known, rows.at(-1)?.revision ?? 0)
    },
    match(event) {
      const { ids, failures } = evaluate(event)
      const matches: Match[] = []
      const add = (subscription: string, failure: string | undefined) => {
        const { owner, disabled } = live.get(subscription) as Live
        if (failure !== undefined && disabled) return
        matches.push({ subscription, owner, disabled, failure })
        if (failure !== undefined) failing.add(subscription)
      }
      const recovered = [...failing].filter((subscription) => !failures.has(subscription))
      for (const subscription of recovered) failing.delete(subscription)
      for (const subscription of ids) add(subscription, undefined)
      for (const [subscription, failure] of failures) add(subscription, failure)
      return { matches, recovered }
    },
    get size() {
      return live.size
    },
  }
}

const VERSIONS = ['v0.1', 'v1.0'] as const

type Indexes = Readonly<Record<Version, SubscriptionIndex>>

/** Puts the expression into its version's index; why it cannot be there, else. */
function place(
  indexes: Indexes,
  { uuid, jsonpath, dialect, version }: Pick<Changed, 'uuid' | 'jsonpath' | 'dialect' | 'version'>,
): string | undefined {
  // The Python service took any text; a projection that does not exist must not be tried.
  if (!VERSIONS.includes(version)) return `there is no version '${version}'`
  try {
    indexes[version].set(uuid, jsonpath, { dialect, root: 'optional' })
    return undefined
  } catch (error) {
    return unevaluated(error)
  }
}

function unevaluated(error: unknown): string {
  return `the expression could not be evaluated: ${error instanceof Error ? error.message : String(error)}`
}
