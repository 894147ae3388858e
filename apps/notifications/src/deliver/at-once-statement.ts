/**
 * Deliveries that are claimed as they are stored: the parts of a statement (match/record-statement.ts) that say which.
 *
 *   candidate (allowed, its target has not failed) ─→ turn ─→ placed ─→ chosen, at most `limit`
 *
 * It counts what is in flight as a claim does (claim-statement.ts), and takes its turn among the claims. What is due
 * already must not starve: in a lane that is awake half of the places are left to it, and of a host's and a user's places,
 * which lanes share, a quarter.
 */
import {
  inFlightOfOthers,
  inFlightWith,
  OPEN,
  type OwnParameters,
  turn,
} from './claim-statement.ts'

/** The texts of parameters. */
export interface AtOnceParameters extends OwnParameters {
  readonly limit: string
  readonly subscription: string
  readonly host: string
  readonly owner: string
  readonly dispatching: string
}

const mostAtOnce = (cap: string) => `greatest(1, ${cap}::bigint * 3 / 4)`

const othersLive = (holder: string) => `
  SELECT subscription FROM delivery
  WHERE state = 'delivering' AND due > now() AND holder IS DISTINCT FROM ${holder}`

/** `chosen (event, subscription, host)` of `wanted (event, subscription, state)`. */
export const atOnce = (parameter: AtOnceParameters) => `
  ${inFlightOfOthers(othersLive(parameter.holder))},
  candidate AS MATERIALIZED (
    SELECT w.event, l.subscription, l.host, l.owner,
      coalesce(l.cap, ${parameter.subscription}) / CASE WHEN l.next_due <= now() THEN 2 ELSE 1 END AS most
    FROM wanted w JOIN lane l ON l.subscription = w.subscription JOIN eventmatch m ON m.uuid = w.subscription
    WHERE ${parameter.limit} > 0 AND w.state = 'allowed'
      AND l.ramp IS NULL AND ${OPEN(parameter.dispatching)}
      AND m.disabled IS NULL AND m.deleted IS NULL),
  ${turn('candidate')},
  placed AS MATERIALIZED (
    SELECT * FROM (
      SELECT l.*, ${inFlightWith(parameter).lane}
        + row_number() OVER (PARTITION BY l.subscription ORDER BY l.event) AS place
      FROM candidate l WHERE EXISTS (SELECT FROM mine)) AS all_places
    WHERE place <= most),
  chosen AS MATERIALIZED (
    SELECT event, subscription, host FROM (
      SELECT l.*, ${inFlightWith(parameter).host} + row_number() OVER (PARTITION BY l.host ORDER BY l.place, l.event) AS host_place,
        ${inFlightWith(parameter).owner} + row_number() OVER (PARTITION BY l.owner ORDER BY l.place, l.event) AS owner_place
      FROM placed l) AS both_places
    WHERE host_place <= ${mostAtOnce(parameter.host)} AND owner_place <= ${mostAtOnce(parameter.owner)}
    ORDER BY event LIMIT ${parameter.limit})`
