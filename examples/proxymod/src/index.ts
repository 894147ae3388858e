/**
 * The proxymod dispatcher: a transaction brings tables, models in Python, and in its key-values how to run them. The
 * models are run, one after the other, and what they have written becomes a transaction of its own.
 */
import { defineDispatcher, TransformHandler } from '@pacifica/core'
import { ROUTE } from './route.ts'
import { isNeeded, runModels } from './run-models.ts'

export default defineDispatcher({
  name: 'proxymod',
  routes: [{ path: ROUTE, handler: new TransformHandler(runModels, { select: isNeeded }) }],
})
