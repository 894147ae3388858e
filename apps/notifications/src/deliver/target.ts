/**
 * Where a delivery goes: an HTTP URL, or a dispatcher by its name. One port, two adapters beside this file.
 */
import { DISPATCHER_NAME } from '@pacifica/platform'
import type { ClaimedDelivery } from './claim.ts'
import type { Outcome } from './delivery.ts'

export interface Target {
  /** Sends it once. Never rejects: what became of it is the outcome. */
  send(delivery: ClaimedDelivery, body: string, signal: AbortSignal): Promise<Outcome>
}

const DISPATCH = /^dispatch:\/\/([^/]*)\/?$/

/** The dispatcher that a `dispatch://name` target names; undefined for any other URL. */
export function dispatcherOf(targetUrl: string): string | undefined {
  const name = DISPATCH.exec(targetUrl)?.[1] ?? ''
  return DISPATCHER_NAME.test(name) ? name : undefined
}
