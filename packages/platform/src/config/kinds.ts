/** The kinds of values that a setting can have: what is expected, in words, and how it is read. */
import ipaddr from 'ipaddr.js'
import { parseDuration, parseSize } from './units.ts'

/**
 * What becomes of a text: a value, or no value and perhaps, in words, what is wrong with it. `advice` is the whole
 * message instead, also of a secret's value, which it must not quote.
 */
export type Parsed<T> =
  | { readonly value: T }
  | { readonly wrong: string | undefined; readonly advice?: string }

export interface Kind<T> {
  /** Completes "expected …". */
  readonly expects: string
  readonly parse: (text: string) => Parsed<T>
}

export interface Range {
  readonly min?: number
  readonly max?: number
}

export const text: Kind<string> = { expects: 'a text', parse: (value) => ({ value }) }

export const path: Kind<string> = { expects: 'a path', parse: (value) => ({ value }) }

export const fileContent: Kind<string> = {
  expects: 'the path of a file that can be read',
  parse: (value) => ({ value }),
}

export const flag: Kind<boolean> = {
  expects: 'yes or no',
  parse(value) {
    if (/^(yes|true|on|1)$/i.test(value)) return { value: true }
    return /^(no|false|off|0)$/i.test(value) ? { value: false } : { wrong: undefined }
  },
}

export const size: Kind<number> = {
  expects: 'a size such as 64KiB, 32MiB or 1GB',
  parse: (value) => found(parseSize(value)),
}

export const port: Kind<number> = {
  expects: 'a port from 0 to 65535',
  parse(value) {
    if (!/^[a-z]+:\/\//.test(value)) return integer({ min: 0, max: 65_535 }).parse(value)
    // Kubernetes sets NAME_PORT=tcp://… in every container for a Service called `name`.
    return { wrong: 'an address, as Kubernetes sets it: use enableServiceLinks: false' }
  },
}

export const cidrs: Kind<string[]> = {
  expects: 'networks such as 10.0.0.0/8,fd00::/8, or single addresses',
  parse(value) {
    const items = splitList(value)
    const bad = items.filter((item) => !isNetwork(item))
    return bad.length === 0 ? { value: items } : { wrong: `no network: ${bad.join(', ')}` }
  },
}

export function integer(range: Range): Kind<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range
  return {
    expects: `a whole number${between(range, String)}`,
    parse(value) {
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN
      return found(number >= min && number <= max ? number : undefined)
    },
  }
}

/** A timer that is asked to wait longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export function duration(range: Range): Kind<number> {
  const { min = 0, max = LONGEST_TIMER_MS } = range
  const shown = range.max === undefined ? range : { min, max }
  return {
    expects: `a duration such as 500ms, 30s, 10min, 24h or 5d${between(shown, (ms) => `${ms / 1_000}s`)}`,
    parse(value) {
      const ms = parseDuration(value)
      if (ms === undefined || ms < min) return { wrong: undefined }
      return ms <= max ? { value: ms } : { wrong: `longer than ${max / 1_000}s` }
    },
  }
}

/** `localhost:80` would parse too, with `localhost:` as its protocol. */
const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i

export function url<W extends string>(options: {
  readonly or?: readonly W[]
  readonly protocols?: readonly string[]
}): Kind<URL | W> {
  const { or = [], protocols } = options
  const kinds = protocols?.map((protocol) => `${protocol}//…`) ?? ['a URL']
  return {
    expects: [...kinds, ...or].join(' or '),
    parse(value) {
      const word = or.find((candidate) => candidate === value)
      if (word !== undefined) return { value: word }
      if (!WITH_SCHEME.test(value) || !URL.canParse(value)) return { wrong: undefined }
      const parsed = new URL(value)
      return found(protocols?.includes(parsed.protocol) === false ? undefined : parsed)
    },
  }
}

export function list<V extends string>(values: readonly V[] | undefined): Kind<V[]> {
  return {
    expects: values === undefined ? 'a comma-separated list' : `a list of ${values.join(', ')}`,
    parse(value) {
      const items = splitList(value)
      const bad = items.filter((item) => values?.some((allowed) => allowed === item) === false)
      // Each item is one of `values`, or V is any string.
      return bad.length === 0 ? { value: items as V[] } : { wrong: `unknown: ${bad.join(', ')}` }
    },
  }
}

export function oneOf<V extends string>(values: readonly V[]): Kind<V> {
  return {
    expects: `one of ${values.join(', ')}`,
    parse: (value) => found(values.find((allowed) => allowed === value)),
  }
}

function found<T>(value: T | undefined): Parsed<T> {
  return value === undefined ? { wrong: undefined } : { value }
}

function between({ min, max }: Range, print: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${print(min)} to ${print(max)}`
  if (min !== undefined) return `, at least ${print(min)}`
  return max === undefined ? '' : `, at most ${print(max)}`
}

function splitList(value: string): string[] {
  const items = value.split(',').map((item) => item.trim())
  return [...new Set(items)].filter((item) => item !== '')
}

function isNetwork(item: string): boolean {
  return item.includes('/') ? ipaddr.isValidCIDR(item) : ipaddr.isValid(item)
}
