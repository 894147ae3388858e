/**
 * Ids of events and deliveries, rows that come by the thousand: UUIDs of version 7, which begin with the time (RFC 9562,
 * 5.7). New rows lie together in each index of ids: with random ones every row touches a page of its own, which is read,
 * and written whole to the log after each checkpoint.
 */
import { randomBytes } from '@pacifica/platform'
import { v7 } from 'uuid'

const RANDOM_BYTES = 16

export function newId(): string {
  return v7({ random: randomBytes(RANDOM_BYTES) })
}
