/** What a command works on, in two lines. */
import type { Event } from '../events/event.ts'
import type { Loaded } from './load-module.ts'

export function showEvent(event: Event, { dispatcher, file }: Loaded): string {
  const routes = dispatcher.router.routes.length
  const count = routes === 1 ? '1 route' : `${routes} routes`
  return (
    `event       ${clean(event.id)}, ${clean(event.type)}\n` +
    `dispatcher  ${dispatcher.name}, ${count}, ${file}`
  )
}

/** What senders and handlers wrote does not move the cursor of whoever reads it. */
export function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}
