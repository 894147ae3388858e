/** Checks a join's definition and compiles its paths; every mistake is named, with its place. Pure. */
import { type CompiledPath, compile } from '@pacifica/jsonpath'
import { DISPATCHER_NAME_PATTERN } from '../events/dispatcher-name.ts'
import { pathMistake } from '../routing/path-mistake.ts'
import { durationMs } from './duration.ts'
import type { Join, JoinDefinition, JoinSlot, SlotDefinition } from './join.ts'

const SLOT_NAME = /^[a-z][a-z0-9_-]{0,63}$/i

/** The joins of a dispatcher, and what is wrong with them. What is wrong is not among the joins. */
export function compileJoins(definitions: readonly JoinDefinition[]): {
  readonly joins: readonly Join[]
  readonly mistakes: readonly string[]
} {
  if (!Array.isArray(definitions)) return { joins: [], mistakes: ['joins must be a list'] }
  const mistakes: string[] = []
  const joins: Join[] = []
  for (const [index, definition] of definitions.entries()) {
    const place = `joins[${index}]`
    if (typeof definition !== 'object' || definition === null) {
      mistakes.push(`${place} must be a join`)
      continue
    }
    const wrong = [...wrongSettings(definition, place), ...wrongName(definition.name, joins, place)]
    const slots = compileSlots(definition, place, wrong)
    mistakes.push(...wrong)
    joins.push(joinOf(definition, slots))
  }
  return { joins, mistakes }
}

function joinOf(definition: JoinDefinition, slots: readonly JoinSlot[]): Join {
  const { name, atDeadline, handler } = definition
  const { onDuplicate = 'keep', onLate = 'open', allowLoops = false } = definition
  const deadlineMs = durationMs(definition.deadline) ?? 0
  return { name, slots, deadlineMs, atDeadline, onDuplicate, onLate, allowLoops, handler }
}

function wrongName(name: unknown, before: readonly Join[], place: string): string[] {
  if (typeof name !== 'string' || !DISPATCHER_NAME_PATTERN.test(name)) {
    return [`${place}.name must be 1 to 64 of a-z, 0-9 and -, not ${shown(name)}`]
  }
  const earlier = before.findIndex((join) => join.name === name)
  return earlier === -1 ? [] : [`${place}.name: joins[${earlier}] is called ${name} already`]
}

function wrongSettings(definition: JoinDefinition, place: string): string[] {
  const { deadline, atDeadline, onDuplicate, onLate, allowLoops, handler } = definition
  const mistakes: string[] = []
  const oneOf = (name: string, value: unknown, values: readonly unknown[]) => {
    if (!values.includes(value)) {
      mistakes.push(`${place}.${name} must be ${values[0]} or ${values[1]}, not ${shown(value)}`)
    }
  }
  if (durationMs(deadline) === undefined) {
    mistakes.push(
      `${place}.deadline must be a duration such as 30s, 10min, 2h or 5d, at most 366d, not ${shown(deadline)}`,
    )
  }
  oneOf('atDeadline', atDeadline, ['run', 'fail'])
  oneOf('onDuplicate', onDuplicate ?? 'keep', ['keep', 'replace'])
  oneOf('onLate', onLate ?? 'open', ['open', 'refuse'])
  oneOf('allowLoops', allowLoops ?? false, [true, false])
  if (typeof handler?.handle !== 'function') mistakes.push(`${place}.handler must be a JoinHandler`)
  return mistakes
}

/** @param mistakes gets those of the slots */
function compileSlots(
  { slots }: JoinDefinition,
  place: string,
  mistakes: string[],
): readonly JoinSlot[] {
  const entries = typeof slots === 'object' && slots !== null ? Object.entries(slots) : []
  if (entries.length < 2) {
    mistakes.push(`${place}.slots must name at least two: with one there is nothing to wait for`)
  }
  const compiled: JoinSlot[] = []
  for (const [name, slot] of entries) {
    const where = `${place}.slots.${name}`
    if (!SLOT_NAME.test(name)) {
      mistakes.push(`${where}: a slot's name is a letter, then up to 63 letters, digits, _ or -`)
    }
    const same = compiled.find((other) => other.name.toLowerCase() === name.toLowerCase())
    if (same !== undefined) {
      mistakes.push(`${where}: ${same.name} and ${name} would be one folder on some systems`)
    }
    compiled.push(...compileSlot(name, slot, where, mistakes))
  }
  return compiled
}

/** One slot; none when one of its paths is wrong. */
function compileSlot(
  name: string,
  slot: SlotDefinition,
  place: string,
  mistakes: string[],
): JoinSlot[] {
  const { version = 'v0.1' } = slot ?? {}
  if (version !== 'v0.1' && version !== 'v1.0') {
    mistakes.push(`${place}.version must be v0.1 or v1.0, not ${shown(version)}`)
  }
  const [path, key] = (['path', 'key'] as const).map((which) =>
    compilePath(slot, which, `${place}.${which}`, mistakes),
  )
  return path === undefined || key === undefined ? [] : [{ name, path, key, version }]
}

function compilePath(
  slot: SlotDefinition,
  which: 'path' | 'key',
  place: string,
  mistakes: string[],
): CompiledPath | undefined {
  const text: unknown = slot?.[which]
  if (typeof text !== 'string') mistakes.push(`${place} must be a JSONPath`)
  else {
    try {
      return compile(text, { dialect: slot.dialect ?? 'jsonpath2' })
    } catch (error) {
      mistakes.push(pathMistake(error, place))
    }
  }
  return undefined
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
