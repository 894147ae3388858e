/**
 * Both services in one process, each with its own embedded database or the one that its setting names. The transport
 * between them is a function call; with BROKER_URL it is RabbitMQ, so that dispatchers elsewhere are reached too.
 */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startDispatcher } from '@pacifica/dispatcher'
import { startNotifications } from '@pacifica/notifications'
import {
  createInProcessTransport,
  createRabbitmqTransport,
  type Lifetime,
  type Log,
  type Transport,
} from '@pacifica/platform'
import type { StandaloneConfig } from './config.ts'

export interface Standalone {
  readonly notificationsUrl: string
  readonly dispatcherUrl: string
  /** What subscriptions name: `dispatch://<dispatcher>`. */
  readonly dispatcher: string
}

export async function startStandalone(
  life: Lifetime,
  needs: { log: Log; env?: Readonly<Record<string, string | undefined>> },
  config: StandaloneConfig,
): Promise<Standalone> {
  await makeFolders([config.dispatcher.cartdUrl, config.dispatcher.ingestUrl])
  const transportFor = transports(life, needs.log, config.notifications.brokerUrl)
  // The dispatcher first, so that the first delivery finds it; closed last, so that the last one does too.
  const dispatcher = await startDispatcher(
    life,
    {
      ...needs,
      log: needs.log.child({ service: 'dispatcher' }),
      transport: transportFor('dispatcher'),
    },
    config.dispatcher,
  )
  const notifications = await startNotifications(
    life,
    {
      log: needs.log.child({ service: 'notifications' }),
      transport: transportFor('notifications'),
    },
    config.notifications,
  )
  return {
    notificationsUrl: notifications.url ?? '',
    dispatcherUrl: dispatcher.url,
    dispatcher: dispatcher.name,
  }
}

function transports(
  life: Lifetime,
  log: Log,
  url: string | undefined,
): (service: string) => Transport {
  const closedAtTheEnd = (transport: Transport) => {
    life.onClose('transport', () => transport.close())
    return transport
  }
  if (url !== undefined)
    return (name) => closedAtTheEnd(createRabbitmqTransport({ log }, { url, name }))
  const shared = closedAtTheEnd(createInProcessTransport({ log }))
  return () => shared
}

async function makeFolders(urls: readonly (URL | undefined)[]): Promise<void> {
  for (const url of urls) {
    if (url?.protocol === 'file:') await mkdir(fileURLToPath(url), { recursive: true })
  }
}
