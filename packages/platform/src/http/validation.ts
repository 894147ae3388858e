/** Schema violations, as places and words. */
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type { ErrorPlace } from './error-reply.ts'

const MOST_PLACES = 50

/** One line for each place; of the branches of a union only what helps. */
export function validationPlaces(
  found: readonly FastifySchemaValidationError[],
  context: string,
): ErrorPlace[] {
  const start = context === 'body' ? '' : context === 'querystring' ? 'query' : context
  const places = new Map<string, ErrorPlace>()
  for (const error of withoutBranches(found)) {
    const place = placeOf(error, start)
    places.set(`${place.path} ${place.message}`, place)
  }
  return [...places.values()].slice(0, MOST_PLACES)
}

function placeOf(error: FastifySchemaValidationError, start: string): ErrorPlace {
  const at = `${start}${error.instancePath}`
  const { missingProperty, additionalProperty, allowedValues, allowedValue } = error.params
  switch (error.keyword) {
    case 'required':
      return { path: `${at}/${String(missingProperty)}`, message: 'is required' }
    case 'additionalProperties':
      return { path: `${at}/${String(additionalProperty)}`, message: 'is not known here' }
    case 'enum':
      return { path: at || '/', message: `must be one of ${printAll(allowedValues)}` }
    case 'const':
      return { path: at || '/', message: `must be ${JSON.stringify(allowedValue)}` }
    default:
      return { path: at || '/', message: error.message ?? `breaks the rule '${error.keyword}'` }
  }
}

function printAll(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : ''
}

/**
 * A failed union (`anyOf`) reports every branch and then itself. Branches that differ only in what they want at this
 * very place become one line; a branch that fails deeper was meant, so its own errors stay.
 */
function withoutBranches(
  found: readonly FastifySchemaValidationError[],
): FastifySchemaValidationError[] {
  let rest = [...found]
  for (const union of found.filter(({ keyword }) => keyword === 'anyOf')) {
    const inside = rest.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`))
    const meant = meantBranch(inside, union)
    rest = rest.filter((error) => error !== union && !inside.includes(error))
    rest.push(...(meant.length > 0 ? meant : [{ ...union, message: alternatives(inside) }]))
  }
  return rest
}

function meantBranch(
  inside: readonly FastifySchemaValidationError[],
  union: FastifySchemaValidationError,
): FastifySchemaValidationError[] {
  const branches = new Map<string, FastifySchemaValidationError[]>()
  for (const error of inside) {
    const branch = error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] ?? ''
    branches.set(branch, [...(branches.get(branch) ?? []), error])
  }
  const possible = [...branches.values()].filter(
    (errors) =>
      !errors.some(
        ({ keyword, instancePath }) =>
          keyword === 'const' || (keyword === 'type' && instancePath === union.instancePath),
      ),
  )
  return possible.length === 1 ? (possible[0] ?? []) : []
}

function alternatives(inside: readonly FastifySchemaValidationError[]): string {
  const wanted = inside.map(({ keyword, message = '', params: { allowedValue } }) =>
    keyword === 'const' ? JSON.stringify(allowedValue) : message.replace(/^must be /, ''),
  )
  return `must be ${[...new Set(wanted)].join(' or ')}`
}
