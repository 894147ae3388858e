import type { FastifyInstance } from 'fastify'

/**
 * Fastify answers a wrong method with 404. This knows which methods the routes registered after it take at a path,
 * so that the answer can be 405 with `Allow`.
 */
export function allowedMethods(app: Pick<FastifyInstance, 'addHook'>): (path: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  return (path) => {
    const matching = [...routes.values()].filter(({ pattern }) => pattern.test(path))
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort()
  }
}

/** `/eventmatch/:uuid` → one segment for each parameter; `*` is any rest; a slash at the end does not count. */
function patternOf(url: string): RegExp {
  const segments = url.replace(/\/+$/, '').split('/').map(segmentPattern)
  return new RegExp(`^${segments.join('/')}/?$`)
}

function segmentPattern(segment: string): string {
  if (segment === '*') return '.*'
  if (segment.startsWith(':')) return '[^/]+'
  return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
