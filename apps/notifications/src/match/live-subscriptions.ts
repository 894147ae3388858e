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

export interface LiveSubscriptions {
  /** Reads what changed since the last call. */
  refresh(): Promise<void>
  /** The subscriptions that an event matches, by evaluating each: the reference that an index must agree with. */
  match(event: Event): Match[]
  readonly size: number
}

type Version = 'v0.1' | 'v1.0'

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
}

const changedSince = `
  SELECT uuid, "user" AS owner, jsonpath, dialect, version, disabled IS NOT NULL AS disabled,
         deleted IS NOT NULL AS deleted, revision
  FROM eventmatch WHERE revision > $1 ORDER BY revision`

export function liveSubscriptions(needs: { sql: Sql }): LiveSubscriptions {
  const live = new Map<string, Live>()
  let known = 0
  return {
    async refresh() {
      for (const row of await needs.sql.query<Changed>(changedSince, [known])) {
        if (row.deleted) live.delete(row.uuid)
        else live.set(row.uuid, understand(row))
        known = row.revision
      }
    },
    match(event) {
      const matches: Match[] = []
      for (const [subscription, entry] of live) {
        const answer = evaluate(entry, event)
        if (answer === 'no') continue
        const failure = answer === 'yes' ? undefined : answer.failure
        matches.push({ subscription, owner: entry.owner, disabled: entry.disabled, failure })
      }
      return matches
    },
    get size() {
      return live.size
    },
  }
}

function understand(row: Changed): Live {
  const { owner, disabled, version } = row
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
