/** What a person is told once both services run. */
import { resolve } from 'node:path'
import type { StandaloneConfig } from './config.ts'
import type { Standalone } from './start.ts'

export function whereToLook(running: Standalone, config: StandaloneConfig): string {
  const { notificationsUrl, dispatcherUrl, dispatcher } = running
  return `
Pacifica notifications   ${notificationsUrl}   API: ${notificationsUrl}/docs
Pacifica dispatcher      ${dispatcherUrl}   API: ${dispatcherUrl}/docs   dispatch://${dispatcher}
Data                     ${resolve(config.notifications.dataDir)}
Files are taken from     ${config.dispatcher.cartdUrl?.href}
Bundles are written to   ${config.dispatcher.ingestUrl?.href}

Subscribe the dispatcher to every event that carries data:
  curl -H 'Content-Type: application/json' ${notificationsUrl}/eventmatch \\
    -d '{"name": "all data", "jsonpath": "$.data", "target_url": "dispatch://${dispatcher}"}'
Stop with Ctrl-C.
`
}
