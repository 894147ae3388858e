import swagger, { type SwaggerTransform } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { type ApiSecurity, securityOf } from './api-security.ts'

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
  about: { title: string; version: string; description: string; security?: ApiSecurity },
): Promise<void> {
  const { title, version, description, security } = about
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description },
      ...(security && { components: { securitySchemes: security.schemes } }),
    },
    ...(security && { transform: withSecurity(security) }),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    theme: { title },
    uiConfig: { docExpansion: 'list', validatorUrl: null as unknown as string },
  })
}

function withSecurity(security: ApiSecurity): SwaggerTransform {
  return ({ schema, url }) => ({
    schema: { ...schema, security: securityOf(security, url) },
    url,
  })
}
