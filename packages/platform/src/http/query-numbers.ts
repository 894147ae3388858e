import type { FastifyInstance } from 'fastify'

/**
 * Coercion is off, so that a body's "5" is no number. In a query string and in a path everything is text, so what
 * their schema declares as an integer, number or boolean is read from text here; what cannot be read stays as it is
 * and the schema refuses it.
 */
export function readNumbersInQueries(app: Pick<FastifyInstance, 'addHook'>): void {
  app.addHook('onRoute', (route) => {
    const query = readers(route.schema?.querystring)
    const params = readers(route.schema?.params)
    if (query.length + params.length === 0) return
    route.preValidation = [
      async (request) => {
        readAll(request.query, query)
        readAll(request.params, params)
      },
      ...[route.preValidation ?? []].flat(),
    ]
  })
}

type Read = (text: string) => unknown
type NamedReader = readonly [name: string, read: Read]

const READ: Record<string, Read> = {
  integer: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
  number: (text) => (/^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : text),
}

function readers(schema: unknown): NamedReader[] {
  const properties = member(schema, 'properties')
  if (typeof properties !== 'object' || properties === null) return []
  return Object.entries(properties).flatMap(([name, property]): NamedReader[] => {
    const type = member(property, 'type')
    const read = typeof type === 'string' && Object.hasOwn(READ, type) ? READ[type] : undefined
    return read === undefined ? [] : [[name, read]]
  })
}

function readAll(values: unknown, named: readonly NamedReader[]): void {
  if (typeof values !== 'object' || values === null) return
  for (const [name, read] of named) {
    const value = member(values, name)
    if (typeof value === 'string') Reflect.set(values, name, read(value))
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
