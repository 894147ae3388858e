/** Values as an explanation tells them: never more than a reader takes in. */

/** One value, told in short. */
export type Found =
  | {
      readonly kind: 'object'
      /** How many it has. */
      readonly members: number
      /** The names of the first 20. */
      readonly keys: readonly string[]
    }
  | {
      readonly kind: 'list'
      /** How many it has. */
      readonly items: number
    }
  | {
      /** Which kind of value. */
      readonly kind: 'text' | 'number' | 'boolean' | 'null'
      /** The value; a text is cut after 200 characters. */
      readonly value: unknown
    }

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
