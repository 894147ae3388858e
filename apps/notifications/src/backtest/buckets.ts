/** The bars of the histogram: as fine as the period allows, so that a reply stays small. UTC. */
export const BUCKETS = ['hour', 'day', 'month'] as const
export type Bucket = (typeof BUCKETS)[number]

const DAY_MS = 24 * 60 * 60_000
const HOURS_UP_TO_MS = 4 * DAY_MS
const DAYS_UP_TO_MS = 800 * DAY_MS

export function bucketOf({ since, until }: { since: Date; until: Date }): Bucket {
  const span = until.getTime() - since.getTime()
  if (span <= HOURS_UP_TO_MS) return 'hour'
  return span <= DAYS_UP_TO_MS ? 'day' : 'month'
}

const REST = { hour: ':00:00.000Z', day: 'T00:00:00.000Z', month: '-01T00:00:00.000Z' } as const
const LENGTH = { hour: 'YYYY-MM-DDTHH', day: 'YYYY-MM-DD', month: 'YYYY-MM' } as const

/** When the bar begins that a time falls into. */
export function beginOf(time: Date, bucket: Bucket): string {
  return time.toISOString().slice(0, LENGTH[bucket].length) + REST[bucket]
}
