/** A message's headers as JSON text, and back. Bytes, which JSON does not have, are written as base64. */
import type { BrokerMessage } from '@pacifica/platform'

type Headers = BrokerMessage['headers']

export function headersToText(headers: Headers): string {
  return JSON.stringify(written(headers))
}

export function headersFromText(text: string): Headers {
  return JSON.parse(text, (_name, value) =>
    isBytes(value) ? Buffer.from(value.value, 'base64') : value,
  )
}

function written(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return { '!': 'bytes', value: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(written)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, written(each)]))
}

function isBytes(value: unknown): value is { value: string } {
  const { '!': type, value: text } = (value ?? {}) as { '!'?: unknown; value?: unknown }
  return type === 'bytes' && typeof text === 'string'
}
