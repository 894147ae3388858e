/** A dispatcher whose handler takes its files and then throws. */
import { defineDispatcher, TransformHandler } from '@pacifica/core'

const fail = async () => {
  throw new Error('the spectrometer model is missing')
}

export default defineDispatcher({
  name: 'example',
  routes: [{ path: '$', handler: new TransformHandler(fail) }],
})
