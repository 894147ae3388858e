import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** Everything comes from this service: the page works without the internet and over plain HTTP. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'self'",
].join('; ')

/** The description of the API at /docs/json, and at /docs for people. Routes must be registered after it. */
export async function apiDocs(
  app: Pick<FastifyInstance, 'register'>,
  about: { title: string; version: string; description: string },
): Promise<void> {
  const { title, version, description } = about
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title, version, description } },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    theme: { title },
    uiConfig: { docExpansion: 'list', validatorUrl: null as unknown as string },
  })
}
