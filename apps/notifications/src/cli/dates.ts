/** Dates on the command line: by default as the Python service has them, `2020-01-31 23:59:59` in local time. */

export class DateError extends Error {
  readonly code = 'CLI_DATE'
}

export const PYTHON_FORMAT = '%Y-%m-%d %H:%M:%S'

interface Part {
  readonly pattern: string
  readonly name?: keyof Parts
}

interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  fraction: string
  zone: string
}

/** The directives of Python's strptime that say a time in numbers. */
const DIRECTIVES: Readonly<Record<string, Part>> = {
  Y: { pattern: '\\d{4}', name: 'year' },
  m: { pattern: '\\d{1,2}', name: 'month' },
  d: { pattern: '\\d{1,2}', name: 'day' },
  H: { pattern: '\\d{1,2}', name: 'hour' },
  M: { pattern: '\\d{1,2}', name: 'minute' },
  S: { pattern: '\\d{1,2}', name: 'second' },
  f: { pattern: '\\d{1,6}', name: 'fraction' },
  z: { pattern: 'Z|[+-]\\d{2}:?\\d{2}', name: 'zone' },
  '%': { pattern: '%' },
}

/** With a zone in it, such as `2020-01-31T23:59:59Z`: taken too unless another format is asked for. */
const WITH_ZONE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/

/**
 * @param format of Python's strptime; without `%z` the time is this machine's local time
 * @throws DateError
 */
export function parseDate(text: string, format: string = PYTHON_FORMAT): Date {
  if (format === PYTHON_FORMAT && WITH_ZONE.test(text)) return new Date(text)
  const { pattern, names } = readFormat(format)
  const found = pattern.exec(text)
  if (found === null)
    throw new DateError(`${JSON.stringify(text)} is no time of the form ${format}`)
  const values = Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? '']))
  return dateOf(values, text)
}

function readFormat(format: string): { pattern: RegExp; names: string[] } {
  const names: string[] = []
  const pattern = format.replaceAll(/%(.?)|[^%]/gs, (piece, directive: string | undefined) => {
    if (directive === undefined) return piece.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
    const part = DIRECTIVES[directive]
    if (part === undefined)
      throw new DateError(
        `--date-format: ${piece} is not possible; possible are %Y %m %d %H %M %S %f %z`,
      )
    if (part.name === undefined) return part.pattern
    names.push(part.name)
    return `(${part.pattern})`
  })
  return { pattern: new RegExp(`^${pattern}$`), names }
}

function dateOf(values: Readonly<Record<string, string>>, text: string): Date {
  const number = (name: keyof Parts, fallback: number) => Number(values[name] ?? fallback)
  const [year, month, day] = [number('year', 1900), number('month', 1), number('day', 1)]
  const [hour, minute, second] = [number('hour', 0), number('minute', 0), number('second', 0)]
  const ms = Math.floor(Number(`0.${values['fraction'] ?? '0'}`) * 1000)
  const utc = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms))
  if (utc.getUTCMonth() !== month - 1 || utc.getUTCDate() !== day || hour > 23 || minute > 59)
    throw new DateError(`there is no time ${text}`)
  const zone = values['zone']
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, ms)
  return new Date(utc.getTime() - offsetMs(zone))
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone) ?? []
  const ms = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000
  return sign === '-' ? -ms : ms
}
