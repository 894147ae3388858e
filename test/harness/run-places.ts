/**
 * Places of a shared server for the tests of one run (databases, virtual hosts): POST / makes one, DELETE /name drops
 * it. Lives in vitest's own process, so that all workers share the server, which starts when the first test asks.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Place {
  readonly name: string
  readonly url: string
  drop(): Promise<void>
}

interface SharedServer {
  make(): Promise<Place>
  stop(): Promise<void>
}

export async function openPlaces(
  start: () => Promise<SharedServer>,
): Promise<{ url: string; close(): Promise<void> }> {
  let shared: Promise<SharedServer> | undefined
  const places = new Map<string, Place>()

  async function answer(request: IncomingMessage): Promise<string> {
    shared ??= start()
    if (request.method === 'DELETE') {
      const name = (request.url ?? '/').slice(1)
      await places.get(name)?.drop()
      places.delete(name)
      return ''
    }
    const place = await (await shared).make()
    places.set(place.name, place)
    return JSON.stringify({ name: place.name, url: place.url })
  }

  const server = createServer((request, response) => {
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
      const started = await shared?.catch(() => undefined)
      await started?.stop()
    },
  }
}

/** A test's side: asks for a place of its own. */
export async function askForPlace(
  places: string,
  what: string,
): Promise<{ url: string; drop(): Promise<void> }> {
  const ask = async (method: string, name: string): Promise<string> => {
    const response = await fetch(`${places}${name}`, { method })
    const text = await response.text()
    if (!response.ok) throw new Error(`No ${what}: ${text}`)
    return text
  }
  const { name, url } = JSON.parse(await ask('POST', '')) as { name: string; url: string }
  return {
    url,
    async drop() {
      await ask('DELETE', name)
    },
  }
}
