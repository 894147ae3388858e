/** Durations and sizes as people write them. */

const MS_PER: Record<string, number> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const BYTES_PER: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

const AMOUNT = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i

/**
 * `500ms`, `30s`, `10min` (or `10m`), `24h`, `5d`, `2w`, `1.5h` → milliseconds. A bare number is seconds, as in the
 * Python services' variables. Undefined when it is no duration.
 */
export function parseDuration(text: string): number | undefined {
  return amount(text, MS_PER, 's')
}

/** `32MiB`, `10MB` (10 000 000), `512KiB`, `4096` → bytes. Letters in any case. Undefined when it is no size. */
export function parseSize(text: string): number | undefined {
  return amount(text, BYTES_PER, 'b')
}

function amount(text: string, units: Record<string, number>, bareUnit: string): number | undefined {
  const [, digits, unit] = AMOUNT.exec(text.trim()) ?? []
  if (digits === undefined || unit === undefined) return undefined
  const name = (unit === '' ? bareUnit : unit).toLowerCase()
  const factor = Object.hasOwn(units, name) ? units[name] : undefined
  if (factor === undefined) return undefined
  const value = Math.round(Number(digits) * factor)
  return Number.isSafeInteger(value) ? value : undefined
}
