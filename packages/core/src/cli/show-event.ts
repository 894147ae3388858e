/** What a command works on, a line for each. */
import type { Event } from '../events/event.ts'
import type { Loaded } from './load-module.ts'

export function showEvents(events: readonly Event[], { dispatcher, file }: Loaded): string {
  const { router, joins = [] } = dispatcher
  const has = [
    ...(joins.length === 0 ? [] : [counted(joins.length, 'join')]),
    counted(router.routes.length, 'route'),
  ]
  return [
    ...events.map(({ id, type }) => `event       ${clean(id)}, ${clean(type)}`),
    `dispatcher  ${dispatcher.name}, ${has.join(', ')}, ${file}`,
  ].join('\n')
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** What senders and handlers wrote does not move the cursor of whoever reads it. */
export function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}
