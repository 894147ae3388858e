/** A dispatcher that does the opposite of what the demo expects. */
import { text } from 'node:stream/consumers'
import { defineDispatcher, TransformHandler } from '@pacifica/core'

const lowerCase = async ({ input, output }) => {
  for (const { file, open } of input) {
    const target = await output.create(file.path)
    target.end((await text(open())).toLowerCase())
    await new Promise((resolve) => target.on('close', resolve))
  }
}

export default defineDispatcher({
  name: 'example',
  routes: [
    {
      path: '$',
      handler: new TransformHandler(lowerCase, {
        select: (file) => file.mimetype === 'text/plain',
      }),
    },
  ],
})
