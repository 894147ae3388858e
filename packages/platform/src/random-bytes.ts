/** Random bytes by the dozen: asking the system for a few costs as much as asking for thousands. */
import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(4_096)
let used = pool.length

/** Of cryptographic quality. They are overwritten later: copy them at once. @param count at most 4096 */
export function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}
