/**
 * Declarations of settings, one for each variable: from them come the reading, the types, the mistakes and the table
 * in the docs.
 */

import type { Kind, Parsed, Range } from './kinds.ts'
import * as kinds from './kinds.ts'

export interface Setting<T> {
  /** The environment variable: `NOTIFICATIONS_PORT`. */
  readonly variable: string
  /** Other names that are read too: `PEEWEE_URL`. */
  readonly aliases: readonly string[]
  /** Its places in the INI file, `section.key`; the first that is there wins. */
  readonly ini: readonly string[]
  readonly expects: string
  readonly doc: string
  /** As it would be written in the environment. */
  readonly default: string | undefined
  readonly required: boolean
  /** Its value is never shown, and `<variable>_FILE` may name a file that holds it. */
  readonly secret: boolean
  /** The variable holds a path; the value is what that file holds. */
  readonly inFile: boolean
  readonly parse: (text: string) => Parsed<T>
}

export interface SettingOptions<T, D = never> {
  /** What it is for: one line, for the docs. */
  readonly doc: string
  readonly default?: D
  readonly required?: true
  readonly secret?: true
  readonly aliases?: readonly string[]
  readonly ini?: string | readonly string[]
  /** A last look at the value: undefined, or what is wrong with it and what to do. */
  readonly check?: (value: T) => string | undefined
}

/** With a default, or required: always there. Otherwise undefined when it is not set. */
type Value<T, O> = O extends { readonly default: unknown } | { readonly required: true }
  ? T
  : T | undefined

type UrlOptions<W extends string> = SettingOptions<URL | W, string> & {
  readonly or?: readonly W[]
  readonly protocols?: readonly string[]
}
type ListOptions<V extends string> = SettingOptions<V[], string> & {
  readonly values?: readonly V[]
}
type OneOfOptions<V extends string> = SettingOptions<V, NoInfer<V>> & {
  readonly values: readonly V[]
}

/**
 * One function for each kind of value, each with the variable and its options. A default is written as it would be
 * in the environment (`'30s'`, `'32MiB'`); for integers, ports and flags it is the value itself.
 */
export const setting = {
  text: <const O extends SettingOptions<string, string>>(variable: string, options: O) =>
    declare<string, O>(variable, options, kinds.text),

  path: <const O extends SettingOptions<string, string>>(variable: string, options: O) =>
    declare<string, O>(variable, options, kinds.path),

  /** A text that is never shown; also read from the file that `<variable>_FILE` names. */
  secret: <const O extends SettingOptions<string>>(variable: string, options: O) =>
    declare<string, O>(variable, { ...options, secret: true }, kinds.text),

  /** The variable names a file; the value is what the file holds, without the line end. */
  secretFile: <const O extends SettingOptions<string>>(variable: string, options: O) => ({
    ...declare<string, O>(variable, options, kinds.fileContent),
    inFile: true,
  }),

  integer: <const O extends SettingOptions<number, number> & Range>(variable: string, options: O) =>
    declare<number, O>(variable, options, kinds.integer(options)),

  /** 0 lets the system choose one. */
  port: <const O extends SettingOptions<number, number>>(variable: string, options: O) =>
    declare<number, O>(variable, options, kinds.port),

  /** Milliseconds; so are `min` and `max`, which is 24.8 days unless said: a timer cannot wait longer. */
  duration: <const O extends SettingOptions<number, string> & Range>(
    variable: string,
    options: O,
  ) => declare<number, O>(variable, options, kinds.duration(options)),

  /** Bytes. */
  size: <const O extends SettingOptions<number, string>>(variable: string, options: O) =>
    declare<number, O>(variable, options, kinds.size),

  /** A URL, or one of the words in `or`. `protocols` with their colon: `['http:', 'https:']`. */
  url: <const O extends UrlOptions<W>, const W extends string = never>(
    variable: string,
    options: O & { readonly or?: readonly W[] },
  ) => declare<URL | W, O>(variable, options, kinds.url<W>(options)),

  /** Comma-separated, without repeats; `values` are the only items allowed. */
  list: <const O extends ListOptions<V>, const V extends string = string>(
    variable: string,
    options: O & { readonly values?: readonly V[] },
  ) => declare<V[], O>(variable, options, kinds.list<V>(options.values)),

  /** Comma-separated networks and addresses. */
  cidrs: <const O extends SettingOptions<string[], string>>(variable: string, options: O) =>
    declare<string[], O>(variable, options, kinds.cidrs),

  oneOf: <const O extends OneOfOptions<V>, const V extends string>(
    variable: string,
    options: O & { readonly values: readonly V[] },
  ) => declare<V, O>(variable, options, kinds.oneOf<V>(options.values)),

  flag: <const O extends SettingOptions<boolean, boolean>>(variable: string, options: O) =>
    declare<boolean, O>(variable, options, kinds.flag),

  /** Any other kind of value. */
  of: <T, const O extends SettingOptions<T, string>>(variable: string, kind: Kind<T>, options: O) =>
    declare<T, O>(variable, options, kind),
}

function declare<T, O>(
  variable: string,
  options: SettingOptions<T, string | number | boolean>,
  kind: Kind<T>,
): Setting<Value<T, O>> {
  const parse = (value: string): Parsed<T> => {
    const parsed = kind.parse(value)
    const wrong = 'value' in parsed ? options.check?.(parsed.value) : undefined
    return wrong === undefined ? parsed : { wrong }
  }
  return {
    variable,
    aliases: options.aliases ?? [],
    ini: [options.ini ?? []].flat(),
    expects: kind.expects,
    doc: options.doc,
    default: options.default === undefined ? undefined : printDefault(options.default),
    required: options.required ?? false,
    secret: options.secret ?? false,
    inFile: false,
    // Value<T, O> is T, or T and undefined, which readConfig gives where nothing is set.
    parse: parse as (value: string) => Parsed<Value<T, O>>,
  }
}

function printDefault(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}
