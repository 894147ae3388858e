/** The example; but an event may ask for a handler that throws, or for one whose result is wrong. */
import { defineDispatcher } from '@pacifica/core'
import example from '@pacifica/example-uppercase'
import lowerCase from './lower-case.mjs'
import throwing from './throwing.mjs'

const asked = (what, { router }) => ({
  path: `$["data"][*][?(@["key"] = "please" and @["value"] = "${what}")]`,
  handler: router.routes[0].handler,
})

export default defineDispatcher({
  name: example.name,
  routes: [
    asked('throw', throwing),
    asked('lower-case', lowerCase),
    ...example.router.routes.map(({ path, handler }) => ({ path: path.text, handler })),
  ],
})
