/**
 * Hands out virtual hosts to the tests of one run: POST / makes one, DELETE /name drops it. Lives in vitest's own
 * process, so that all workers share one RabbitMQ, which starts when the first test asks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Rabbitmq, startRabbitmq, type TestVhost } from './rabbitmq.ts'

export async function openTestVhosts(): Promise<{ url: string; close(): Promise<void> }> {
  let rabbitmq: Promise<Rabbitmq> | undefined
  const vhosts = new Map<string, TestVhost>()

  async function answer(request: IncomingMessage): Promise<string> {
    rabbitmq ??= startRabbitmq()
    if (request.method === 'DELETE') {
      const name = (request.url ?? '/').slice(1)
      await vhosts.get(name)?.drop()
      vhosts.delete(name)
      return ''
    }
    const vhost = await (await rabbitmq).createVhost()
    vhosts.set(vhost.name, vhost)
    return JSON.stringify({ name: vhost.name, url: vhost.url })
  }

  const server = createServer((request, response: ServerResponse) => {
    answer(request).then(
      (body) => response.end(body),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      const started = await rabbitmq?.catch(() => undefined)
      await started?.stop()
    },
  }
}
