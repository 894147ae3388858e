/**
 * CloudEvents 1.0: type, id, …, and extension attributes beside them at the top.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 */
import { isJsonObject, type JsonObject } from './json.ts'

/** What 1.0 demands; each a non-empty string. */
export const REQUIRED_V10 = ['specversion', 'type', 'source', 'id'] as const

const CORE_V10 = new Set([
  ...REQUIRED_V10,
  'time',
  'subject',
  'dataschema',
  'datacontenttype',
  'data',
  'data_base64',
])
const DEFINED_V01 = new Set([
  'cloudEventsVersion',
  'eventType',
  'eventTypeVersion',
  'source',
  'eventID',
  'eventTime',
  'schemaURL',
  'contentType',
  'extensions',
  'data',
])
const ATTRIBUTE_NAME = /^[a-z0-9]+$/

/** The extension attributes of a 1.0 event, and what `v10FromV01` had to leave in an `extensions` object. */
export function attributesOf(value: JsonObject): Record<string, unknown> {
  const { extensions, ...rest } = value
  const left = isJsonObject(extensions) ? extensions : extensions !== undefined && { extensions }
  return { ...left, ...without(rest, CORE_V10) }
}

/**
 * A 0.1 event under 1.0's names. Extensions become attributes where 1.0 allows it (a name of a-z and 0-9 that no core
 * attribute has; a string, number or boolean); the others stay in an `extensions` object, so that nothing is lost.
 */
export function v10FromV01(value: JsonObject): JsonObject {
  const { extensions } = value
  const own = isJsonObject(extensions) ? extensions : undefined
  const { attributes, left } = split({ ...without(value, DEFINED_V01), ...own })
  const members: [string, unknown][] = [
    ['specversion', '1.0'],
    ['type', value['eventType']],
    ['source', value['source']],
    ['id', value['eventID']],
    ['time', value['eventTime']],
    ['dataschema', value['schemaURL']],
    ['datacontenttype', value['contentType']],
    ['eventtypeversion', value['eventTypeVersion']],
    ...attributes,
    ['extensions', left.length > 0 ? Object.fromEntries(left) : undefined],
  ]
  const projected = members.filter(([, member]) => member !== undefined && member !== null)
  if (Object.hasOwn(value, 'data')) projected.push(['data', value['data']])
  return Object.fromEntries(projected)
}

/** What of a subscription's extensions may be set on a 1.0 event: everything but the core attributes. */
export function settableOnV10(extensions: JsonObject): JsonObject {
  return without(extensions, CORE_V10)
}

type Members = [string, unknown][]

function split(extensions: JsonObject): { attributes: Members; left: Members } {
  const attributes: Members = []
  const left: Members = []
  for (const member of Object.entries(extensions)) {
    ;(isAttribute(...member) ? attributes : left).push(member)
  }
  return { attributes, left }
}

function isAttribute(name: string, value: unknown): boolean {
  if (name === 'subject') return typeof value === 'string'
  if (CORE_V10.has(name) || name === 'extensions' || name === 'eventtypeversion') return false
  return ATTRIBUTE_NAME.test(name) && ['string', 'number', 'boolean'].includes(typeof value)
}

function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)))
}
