/** Who is looking: their own deliveries and what Policy lets them see; an admin sees all. */
import type { FastifyRequest } from 'fastify'
import type { Caller, Identify } from '../identity/index.ts'

export type Viewer = Caller

export function viewerOf(identify: Identify, request: FastifyRequest): Viewer {
  return identify({ remoteAddress: request.ip, headers: request.headers })
}
