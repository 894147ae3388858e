/**
 * The example dispatcher: takes marked transactions and uploads their text files in upper case. Submitter, project and
 * instrument of the result are those of the source, whose id is noted on it: that is what TransformHandler does unless
 * told otherwise.
 */
import { defineDispatcher, TransformHandler } from '@pacifica/core'
import { ROUTE } from './route.ts'
import { uppercase } from './uppercase.ts'

export default defineDispatcher({
  name: 'example',
  routes: [
    {
      path: ROUTE,
      handler: new TransformHandler(uppercase, {
        select: (file) => file.mimetype?.startsWith('text/') ?? false,
      }),
    },
  ],
})
