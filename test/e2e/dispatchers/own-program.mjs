/** An author's own program: it makes the dispatcher, and is the service. */
import { createDispatcher } from '@pacifica/dispatcher'
import odd from './odd.mjs'

await createDispatcher(odd)
