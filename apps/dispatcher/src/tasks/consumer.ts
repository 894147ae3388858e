/** The way in by the queue: a message is acknowledged when its task is committed, long before the task is done. */
import type { Consumer, Transport } from '@pacifica/platform'
import { type AcceptNeeds, acceptMessage } from './accept.ts'

export function consume(
  needs: AcceptNeeds & { readonly transport: Transport },
  dispatcher: string,
): Promise<Consumer> {
  return needs.transport.consume(dispatcher, async (message) => {
    await acceptMessage(needs, message)
  })
}
