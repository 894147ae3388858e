/**
 * When a delivery that waits is looked at again, whatever happens: every delivery that is not settled has a `due`.
 *
 * What releases it (policy's answer, its subscription being enabled) makes it due at once. These are the net under
 * that: the release may have been committed between our look at its cause and our own commit, and then it has passed
 * this delivery by. SQL intervals.
 */

/** A delivery that waits for policy. */
export const PARKED_AGAIN = "interval '5 minutes'"

/** One just found to be held: its subscription may have been enabled at this very moment. */
export const HELD_FIRST = "interval '1 minute'"

/** One whose subscription is still disabled: perhaps thousands, so they are spread. */
export const HELD_AGAIN = "(1 + random()) * interval '30 minutes'"

/**
 * First attempts and retries of a delivery d, in the terms of the index `delivery_lane`: a whole number, because the
 * planner turns a comparison of a truth value into something that the index does not have.
 */
export const IS_FIRST = 'least(d.attempt, 1) = 0'
export const IS_RETRY = 'least(d.attempt, 1) = 1'
