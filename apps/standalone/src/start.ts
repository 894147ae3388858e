/** Both services in one process: the transport between them is a function call, each has its own embedded database. */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { startDispatcher } from '@pacifica/dispatcher'
import { startNotifications } from '@pacifica/notifications'
import { createInProcessTransport, type Lifetime, type Log } from '@pacifica/platform'
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
  const transport = createInProcessTransport({ log: needs.log })
  life.onClose('transport', () => transport.close())
  // The dispatcher first, so that the first delivery finds it; closed last, so that the last one does too.
  const dispatcher = await startDispatcher(
    life,
    { ...needs, log: needs.log.child({ service: 'dispatcher' }), transport },
    config.dispatcher,
  )
  const notifications = await startNotifications(
    life,
    { log: needs.log.child({ service: 'notifications' }), transport },
    config.notifications,
  )
  return {
    notificationsUrl: notifications.url ?? '',
    dispatcherUrl: dispatcher.url,
    dispatcher: dispatcher.name,
  }
}

async function makeFolders(urls: readonly (URL | undefined)[]): Promise<void> {
  for (const url of urls) {
    if (url?.protocol === 'file:') await mkdir(fileURLToPath(url), { recursive: true })
  }
}
