/**
 * A CloudEvent, 0.1 or 1.0, with its text exactly as it was received. What is sent on is that text; expressions see one
 * of two projections of it: v0.1 (the names that Pacifica Metadata uses) or v1.0.
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { CloudEvent } from 'cloudevents'
import { cloudEventOf } from './cloud-event.ts'
import { EventFormatError } from './errors.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { deeperThan, memberText, setMembers } from './json-text.ts'
import { extensionsOfV01, jsonTexts, mergeIntoV01, REQUIRED_V01, v01FromV10 } from './v01.ts'
import { attributesOf, REQUIRED_V10, settableOnV10, v10FromV01 } from './v10.ts'

/** Under which names an event is seen: a subscription's or a route's `version`. */
export type Projection = 'v0.1' | 'v1.0'

/** Lists and objects may be nested this deep in an event, its own braces included. */
export const MAX_EVENT_DEPTH = 128

/**
 * A CloudEvent as it was received. Make one with `Event.parse`.
 * It is a CloudEvent of [0.1](https://github.com/cloudevents/spec/blob/v0.1/spec.md), as Metadata sends, or
 * [1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { Event, File } from '@pacifica/core'
 *
 * const event = Event.parse(await readFile('event.json'))
 * console.log(event.type, File.fromEvent(event).map(({ path }) => path))
 * ```
 */
export class Event {
  /** The JSON text exactly as received. */
  readonly text: string
  /** SHA-256, hex, of the received bytes. */
  readonly digest: string
  /** The version of CloudEvents in which it came. */
  readonly specVersion: '0.1' | '1.0'
  /** `eventID` of 0.1, `id` of 1.0. Unique for its source only, and not even that in the field: see `digest`. */
  readonly id: string
  /** Who says it: a URI, or a path such as `/pacifica/metadata/ingest`. */
  readonly source: string
  /** `eventType` of 0.1, `type` of 1.0: `org.pacifica.metadata.ingest`. */
  readonly type: string
  /** As the sender wrote it; Metadata writes local time without a zone. */
  readonly time: string | undefined
  /** The parsed text. */
  readonly value: JsonObject
  #other: JsonObject | undefined

  private constructor(text: string, digest: string, value: JsonObject) {
    const old = !Object.hasOwn(value, 'specversion')
    this.text = text
    this.digest = digest
    this.value = value
    this.specVersion = old ? '0.1' : '1.0'
    this.id = value[old ? 'eventID' : 'id'] as string
    this.source = value['source'] as string
    this.type = value[old ? 'eventType' : 'type'] as string
    const time = value[old ? 'eventTime' : 'time']
    this.time = typeof time === 'string' ? time : undefined
  }

  /**
   * Reads one event in JSON. Throws `EventFormatError`, which says what is wrong and where.
   * @param body JSON text, or its bytes in UTF-8
   */
  static parse(body: Uint8Array | string): Event {
    const bytes = typeof body === 'string' ? encode(body) : body
    const text = typeof body === 'string' ? body : decode(body)
    const value = parseObject(text)
    requireAttributes(value)
    if (text.includes('\\u')) refuseUnstorable(value)
    return new Event(text, hash('sha256', bytes), value)
  }

  /** The payload; the bytes of a 1.0 event that carries `data_base64`. */
  get data(): unknown {
    const encoded = this.value['data_base64']
    const binary = this.specVersion === '1.0' && typeof encoded === 'string'
    if (!binary || Object.hasOwn(this.value, 'data')) return this.value['data']
    return new Uint8Array(Buffer.from(encoded, 'base64'))
  }

  /** 0.1: the `extensions` object, `{}` when there is none. 1.0: the extension attributes. */
  get extensions(): JsonObject {
    return this.specVersion === '0.1' ? extensionsOfV01(this.value) : attributesOf(this.value)
  }

  /**
   * What expressions see. Nothing is made up: what the sender left out is not there.
   * @param version whose names to use
   * @returns the same object at each call; do not change it
   */
  project(version: Projection): JsonObject {
    if (version === `v${this.specVersion}`) return this.value
    this.#other ??= version === 'v1.0' ? v10FromV01(this.value) : v01FromV10(this.value)
    return this.#other
  }

  /**
   * The JSON text to send: in the version received, that very text, with the given extensions merged in and every other
   * byte kept; else the projection, with the text of `data` kept. v0.1 merges into `extensions`, added when absent;
   * v1.0 sets attributes, but never a core one such as `id`.
   * @param version in which to send it
   * @param extensions by name; `{}` for none
   */
  toBody(version: Projection, extensions: JsonObject): string {
    const text = version === `v${this.specVersion}` ? this.text : this.#otherText(version)
    if (version === 'v0.1') return this.#mergedV01(text, extensions)
    const settable = jsonTexts(settableOnV10(extensions))
    return settable.size === 0 ? text : setMembers(text, settable)
  }

  /** The `cloudevents` SDK's object, 1.0, unchecked; without a `time` when the sender gave none. */
  toCloudEvent(): CloudEvent<unknown> {
    return cloudEventOf(this.project('v1.0'))
  }

  /** Most subscriptions have nothing to merge, and most events an `extensions` object: then the text need not be looked at. */
  #mergedV01(text: string, extensions: JsonObject): string {
    const isWhole = isJsonObject(this.project('v0.1')['extensions'])
    return isWhole && Object.keys(extensions).length === 0 ? text : mergeIntoV01(text, extensions)
  }

  #otherText(version: Projection): string {
    const projected = JSON.stringify(this.project(version))
    const data = memberText(this.text, 'data')
    return data === undefined ? projected : setMembers(projected, new Map([['data', data]]))
  }
}

function encode(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) throw new EventFormatError('the event is not valid Unicode text')
  return Buffer.from(text)
}

function decode(body: Uint8Array): string {
  if (!isUtf8(body)) throw new EventFormatError('the event is not valid UTF-8')
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
}

function parseObject(text: string): JsonObject {
  if (text.trim() === '')
    throw new EventFormatError('the event is empty; a JSON object is expected')
  if (text.startsWith('\uFEFF')) {
    throw new EventFormatError('the event begins with a byte order mark; send UTF-8 without one')
  }
  if (text.includes('\0')) throw new EventFormatError('the event contains a NUL character')
  if (deeperThan(text, MAX_EVENT_DEPTH)) {
    throw new EventFormatError(`the event is nested more than ${MAX_EVENT_DEPTH} levels deep`)
  }
  const value = parseJson(text)
  if (isJsonObject(value)) return value
  throw new EventFormatError(`the event must be a JSON object, not ${kindOf(value)}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EventFormatError(`the event is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function requireAttributes(value: JsonObject): void {
  const isNew = Object.hasOwn(value, 'specversion')
  if (!isNew && !Object.hasOwn(value, 'cloudEventsVersion')) {
    const message =
      'neither "cloudEventsVersion" (CloudEvents 0.1) nor "specversion" (1.0) is there'
    throw new EventFormatError(message, { member: 'cloudEventsVersion' })
  }
  for (const name of isNew ? REQUIRED_V10 : REQUIRED_V01) requireText(value, name)
  if (isNew && value['specversion'] !== '1.0') {
    const given = JSON.stringify(value['specversion'])
    const message = `"specversion" is ${given}; "1.0" is understood, and 0.1 with "cloudEventsVersion"`
    throw new EventFormatError(message, { member: 'specversion' })
  }
}

function requireText(value: JsonObject, name: string): void {
  const member = value[name]
  if (typeof member === 'string' && member !== '') return
  const given = Object.hasOwn(value, name) ? `is ${kindOf(member)}` : 'is missing'
  const message = `"${name}" ${given}; a non-empty string is required`
  throw new EventFormatError(message, { member: name })
}

/**
 * Attributes are stored and searched as text, which can hold neither; `data` stays in the event's own text. Only an
 * escape can bring them into it: the text itself is valid UTF-8 without NUL.
 */
function refuseUnstorable(value: JsonObject): void {
  for (const [name, member] of Object.entries(value)) {
    if (name === 'data' || typeof member !== 'string' || !/\0|\p{Surrogate}/u.test(member)) continue
    const message = `${JSON.stringify(name)} contains a NUL or an unpaired surrogate`
    throw new EventFormatError(message, { member: name })
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (value === '') return 'an empty string'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
