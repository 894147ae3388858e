/**
 * What is wrong with the shape of an `auth`, in words: of the schema's three alternatives a validator can only say that
 * none fits.
 */
import type { Mistake } from './check.ts'

const MEMBERS = { basic: ['username', 'password'], header: ['type', 'credentials'] } as const
const KNOWN = 'must be {}, {"type": "basic", "basic": …} or {"type": "header", "header": …}'

export function authShapeMistakes(auth: unknown): Mistake[] {
  if (!isObject(auth)) return [{ path: '/auth', message: KNOWN }]
  if (Object.keys(auth).length === 0) return []
  const { type, ...rest } = auth
  if (type !== 'basic' && type !== 'header')
    return [{ path: '/auth/type', message: 'must be "basic" or "header"' }]
  const { [type]: part, ...others } = rest
  return [...unknown('/auth', Object.keys(others)), ...partMistakes(type, part)]
}

function partMistakes(type: 'basic' | 'header', part: unknown): Mistake[] {
  const path = `/auth/${type}`
  const names: readonly string[] = MEMBERS[type]
  if (!isObject(part)) return [{ path, message: `must be an object with ${names.join(' and ')}` }]
  const extra = Object.keys(part).filter((name) => !names.includes(name))
  const missing = names.filter((name) => typeof part[name] !== 'string')
  return [
    ...unknown(path, extra),
    ...missing.map((name) => ({ path: `${path}/${name}`, message: 'must be a text' })),
  ]
}

function unknown(path: string, names: readonly string[]): Mistake[] {
  return names.map((name) => ({ path: `${path}/${name}`, message: 'is not known here' }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
