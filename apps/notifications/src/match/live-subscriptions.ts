/**
 * The subscriptions as this process knows them: compiled once, brought up to date by revision before each batch.
 *
 * Fresh: a batch claims its events first and calls `refresh` afterwards, in a later statement. A subscription that was
 * committed before the event was accepted has a revision that this statement sees.
 */

import type { Event } from '@pacifica/core'
import { type CompiledPath, compile, type Dialect } from '@pacifica/jsonpath'
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
   * The subscriptions that an event matches, by evaluating each: the reference that an index must agree with. While a
   * subscription is disabled its failures leave nothing behind, for failing may be why it is.
   */
  match(event: Event): Evaluation
  readonly size: number
}

/** Whether an expression is found by an index: here each is evaluated on every event. */
export const INDEXED = false

type Version = 'v0.1' | 'v1.0'

const VERSIONS: ReadonlySet<string> = new Set<Version>(['v0.1', 'v1.0'])

interface Live {
  readonly owner: string
  readonly version: Version
  readonly disabled: boolean
  readonly expression: CompiledPath | { readonly refused: string }
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

// The failing ones come each time, changed or not: any worker may have counted their failures.
const changedSince = `
  SELECT uuid, "user" AS owner, jsonpath, dialect, version, disabled IS NOT NULL AS disabled,
         deleted IS NOT NULL AS deleted, revision, expression_failures > 0 AND disabled IS NULL AS failing
  FROM eventmatch WHERE revision > $1 OR (expression_failures > 0 AND disabled IS NULL) ORDER BY revision`

export function liveSubscriptions(needs: { sql: Sql }): LiveSubscriptions {
  const live = new Map<string, Live>()
  let failing = new Set<string>()
  let known = 0
  return {
    async refresh() {
      const rows = await needs.sql.query<Changed>(changedSince, [known])
      failing = new Set(rows.filter((row) => row.failing).map((row) => row.uuid))
      for (const row of rows) {
        if (row.revision <= known) continue
        if (row.deleted) live.delete(row.uuid)
        else live.set(row.uuid, understand(row))
      }
      known = Math.max(known, rows.at(-1)?.revision ?? 0)
    },
    match(event) {
      const matches: Match[] = []
      const recovered: string[] = []
      for (const [subscription, entry] of live) {
        const { owner, disabled } = entry
        const answer = evaluate(entry, event)
        if (typeof answer === 'object') {
          if (disabled) continue
          failing.add(subscription)
          matches.push({ subscription, owner, disabled, failure: answer.failure })
          continue
        }
        if (failing.delete(subscription)) recovered.push(subscription)
        if (answer === 'yes') matches.push({ subscription, owner, disabled, failure: undefined })
      }
      return { matches, recovered }
    },
    get size() {
      return live.size
    },
  }
}

function understand(row: Changed): Live {
  const { owner, disabled, version } = row
  // The Python service took any text; a projection that does not exist must not be tried.
  if (!VERSIONS.has(version))
    return { owner, disabled, version, expression: { refused: `there is no version '${version}'` } }
  try {
    const expression = compile(row.jsonpath, { dialect: row.dialect, root: 'optional' })
    return { owner, disabled, version, expression }
  } catch (error) {
    return { owner, disabled, version, expression: { refused: reason(error) } }
  }
}

/** One subscription's error is that subscription's, never the event's. */
function evaluate(entry: Live, event: Event): 'yes' | 'no' | { failure: string } {
  const { expression } = entry
  if ('refused' in expression) return { failure: expression.refused }
  try {
    return expression.test(event.project(entry.version)) ? 'yes' : 'no'
  } catch (error) {
    return { failure: reason(error) }
  }
}

function reason(error: unknown): string {
  return `the expression could not be evaluated: ${error instanceof Error ? error.message : String(error)}`
}
