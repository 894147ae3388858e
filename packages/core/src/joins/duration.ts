const UNITS = { ms: 1, s: 1_000, min: 60_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|min|m|h|d)$/
const LONGEST_MS = 366 * UNITS.d

/** `500ms`, `30s`, `10min`, `2h`, `1.5d` → milliseconds; undefined for anything else, for nothing and for more than a year. */
export function durationMs(text: unknown): number | undefined {
  const [, amount, unit] = (typeof text === 'string' && DURATION.exec(text)) || []
  if (amount === undefined || unit === undefined) return undefined
  const ms = Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS])
  return ms > 0 && ms <= LONGEST_MS ? ms : undefined
}

/** As an author would write it: `2h`, `90min`. */
export function durationText(ms: number): string {
  const unit = (['d', 'h', 'min', 's'] as const).find((one) => ms % UNITS[one] === 0) ?? 'ms'
  return `${ms / UNITS[unit]}${unit}`
}
