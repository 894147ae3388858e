/** Values as an explanation tells them: never more than a reader takes in. */

/** One value, told in short. */
export type Found =
  | { readonly kind: 'object'; readonly members: number; readonly keys: readonly string[] }
  | { readonly kind: 'list'; readonly items: number }
  | { readonly kind: 'text' | 'number' | 'boolean' | 'null'; readonly value: unknown }

const MOST_KEYS = 20
const MOST_TEXT = 200

export function inShort(value: unknown): Found {
  if (value === null) return { kind: 'null', value }
  if (Array.isArray(value)) return { kind: 'list', items: value.length }
  if (typeof value === 'object') {
    const keys = Object.keys(value)
    return { kind: 'object', members: keys.length, keys: keys.slice(0, MOST_KEYS).map(cut) }
  }
  if (typeof value === 'string') return { kind: 'text', value: cut(value) }
  return { kind: typeof value === 'number' ? 'number' : 'boolean', value }
}

function cut(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}…`
}
