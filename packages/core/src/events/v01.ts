/**
 * CloudEvents 0.1, as Pacifica Metadata sends it: eventType, eventID, …, and an `extensions` object.
 * https://github.com/cloudevents/spec/blob/v0.1/spec.md
 */
import { isJsonObject, type JsonObject } from './json.ts'
import { memberText, setMembers } from './json-text.ts'
import { attributesOf } from './v10.ts'

/** What 0.1 demands; each a non-empty string. */
export const REQUIRED_V01 = ['cloudEventsVersion', 'eventType', 'source', 'eventID'] as const

/** The event's own extensions; what is there but no object counts as none. */
export function extensionsOfV01(value: JsonObject): JsonObject {
  const extensions = value['extensions']
  return isJsonObject(extensions) ? extensions : {}
}

/** A 1.0 event under 0.1's names. `subject`, which 0.1 does not know, and 1.0's extension attributes become extensions. */
export function v01FromV10(value: JsonObject): JsonObject {
  const { eventtypeversion, ...others } = value
  const extensions = attributesOf(others)
  if (typeof value['subject'] === 'string') extensions['subject'] = value['subject']
  const members: [string, unknown][] = [
    ['cloudEventsVersion', '0.1'],
    ['eventType', value['type']],
    ['eventTypeVersion', eventtypeversion],
    ['source', value['source']],
    ['eventID', value['id']],
    ['eventTime', value['time']],
    ['schemaURL', value['dataschema']],
    ['contentType', value['datacontenttype']],
    ['extensions', Object.keys(extensions).length > 0 ? extensions : undefined],
  ]
  const projected = members.filter(([, member]) => member !== undefined && member !== null)
  // 0.1 writes binary data as a base64 string too, in `data` itself.
  const data = Object.hasOwn(value, 'data') ? value['data'] : value['data_base64']
  if (data !== undefined) projected.push(['data', data])
  return Object.fromEntries(projected)
}

/**
 * The event's text with the given extensions merged into its `extensions` member; nothing else changes, not even inside
 * that member. Absent, or no object: it becomes the given ones, `{}` included.
 */
export function mergeIntoV01(text: string, extensions: JsonObject): string {
  const current = memberText(text, 'extensions')
  if (current?.startsWith('{') && Object.keys(extensions).length === 0) return text
  const base = current?.startsWith('{') ? current : '{}'
  return setMembers(text, new Map([['extensions', setMembers(base, jsonTexts(extensions))]]))
}

/** Each member's value as JSON text. */
export function jsonTexts(object: JsonObject): Map<string, string> {
  const given = Object.entries(object).filter(([, value]) => value !== undefined)
  return new Map(given.map(([name, value]) => [name, JSON.stringify(value)]))
}
