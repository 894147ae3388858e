/** A dispatcher that has nothing to do for any event. */
import { defineDispatcher, NoopEventHandler } from '@pacifica/core'

export default defineDispatcher({
  name: 'example',
  routes: [{ path: '$', handler: new NoopEventHandler() }],
})
