import type { AddressInfo } from 'node:net'
import type { Lifetime } from '../runtime/lifetime.ts'
import type { HttpApp } from './app-type.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** The variables that set them, for the message when it cannot be done. */
  readonly hostVariable: string
  readonly portVariable: string
}

export interface Listening {
  /** Where to reach it from this machine: `http://127.0.0.1:8070`. */
  readonly url: string
  readonly host: string
  readonly port: number
}

export class PortInUseError extends Error {
  readonly code = 'PORT_IN_USE'
  constructor({ port, portVariable }: ListenOptions, cause: unknown) {
    super(`port ${port} is in use: set ${portVariable}`, { cause })
  }
}

export class ListenError extends Error {
  readonly code = 'CANNOT_LISTEN'
  constructor(options: ListenOptions, cause: unknown) {
    const { host, port, hostVariable, portVariable } = options
    const reason = cause instanceof Error ? cause.message : 'unknown reason'
    super(
      `cannot listen on ${host}, port ${port}: ${reason}: set ${hostVariable} or ${portVariable}`,
      {
        cause,
      },
    )
  }
}

/**
 * Opens the port, and closes it when the process stops: requests in hand are finished, idle connections closed; when
 * the process is abandoned every connection is cut.
 */
export async function listen(
  needs: { app: HttpApp; life: Lifetime },
  options: ListenOptions,
): Promise<Listening> {
  const { app, life } = needs
  life.onClose(`http on port ${options.port}`, () => close(app))
  life.abandoning.addEventListener('abort', () => app.server.closeAllConnections(), { once: true })
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (cause) {
    throw isInUse(cause) ? new PortInUseError(options, cause) : new ListenError(options, cause)
  }
  const { port } = app.server.address() as AddressInfo
  return { url: `http://${reachable(options.host)}:${port}`, host: options.host, port }
}

/** A connection whose last reply was sent after the closing began is idle, and nobody else would close it. */
async function close(app: HttpApp): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
  await app.close().finally(() => clearInterval(sweep))
}

const SWEEP_MS = 50

function isInUse(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'EADDRINUSE'
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
