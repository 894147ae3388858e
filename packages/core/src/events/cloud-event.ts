/**
 * The event as the `cloudevents` SDK's class, for authors who use that SDK. Its constructor makes up a `time` and then
 * freezes, and its `toJSON` reads a naive time in the local zone; so the object is made without the constructor.
 */
import { createRequire } from 'node:module'
import type { CloudEvent } from 'cloudevents'
import type { JsonObject } from './json.ts'

/** Loaded when somebody asks for such an object: most handlers never do, and each of their processes would load it. */
function loadPrototype(): object {
  const sdk: typeof import('cloudevents') = createRequire(import.meta.url)('cloudevents')
  class ReceivedCloudEvent extends sdk.CloudEvent<unknown> {
    /** The attributes as they are; the SDK's own would rewrite `time`, and fail without one. */
    override toJSON(): Record<string, unknown> {
      const { data, ...attributes } = this
      const shown = data === undefined || 'data_base64' in attributes ? {} : { data }
      return { ...attributes, ...shown }
    }
  }
  return ReceivedCloudEvent.prototype
}

let prototype: object | undefined

/** `attributes` is a v1.0 projection. */
export function cloudEventOf(attributes: JsonObject): CloudEvent<unknown> {
  prototype ??= loadPrototype()
  const event: CloudEvent<unknown> = Object.create(prototype)
  for (const [name, value] of Object.entries(attributes)) define(event, name, value)
  const encoded = attributes['data_base64']
  if (typeof encoded === 'string' && !Object.hasOwn(attributes, 'data')) {
    define(event, 'data', new Uint8Array(Buffer.from(encoded, 'base64')))
  }
  return Object.freeze(event)
}

function define(event: CloudEvent<unknown>, name: string, value: unknown): void {
  Object.defineProperty(event, name, { value, enumerable: true, configurable: true })
}
