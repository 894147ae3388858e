/**
 * The example, but its results carry the mark that its route looks for, as those of pacifica-dispatcher-example do: its
 * own result matches its own route.
 */
import { defineDispatcher, EventHandler, TransactionKeyValue, UploaderRunner } from '@pacifica/core'
import example from '@pacifica/example-uppercase'

class Marking extends UploaderRunner {
  constructor(uploader) {
    super()
    this.uploader = uploader
  }
  upload(folder, options) {
    const mark = new TransactionKeyValue({ key: 'example-key', value: 'example-value' })
    return this.uploader.upload(folder, { ...options, keyValues: [...options.keyValues, mark] })
  }
}

class Marked extends EventHandler {
  constructor(handler) {
    super()
    this.handler = handler
  }
  handle(event, context) {
    return this.handler.handle(event, { ...context, uploader: new Marking(context.uploader) })
  }
}

export default defineDispatcher({
  name: example.name,
  routes: example.router.routes.map(({ path, handler }) => ({
    path: path.text,
    handler: new Marked(handler),
  })),
})
