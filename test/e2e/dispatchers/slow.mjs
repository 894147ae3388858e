/** A dispatcher whose handler takes 4 s over every event. */
import { setTimeout as sleep } from 'node:timers/promises'
import { defineDispatcher, EventHandler } from '@pacifica/core'

class SlowHandler extends EventHandler {
  async handle(_event, { signal }) {
    await sleep(4_000, undefined, { signal })
  }
}

export default defineDispatcher({
  name: 'slow',
  routes: [{ path: '$', handler: new SlowHandler() }],
})
