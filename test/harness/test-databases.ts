/**
 * Hands out databases to the tests of one run: POST / makes one, DELETE /name drops it. Lives in vitest's own
 * process, so that all workers share one PostgreSQL, which starts when the first test asks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Postgres, startPostgres, type TestDatabase } from './postgres.ts'

export async function openTestDatabases(): Promise<{ url: string; close(): Promise<void> }> {
  let postgres: Promise<Postgres> | undefined
  const databases = new Map<string, TestDatabase>()

  async function answer(request: IncomingMessage): Promise<string> {
    postgres ??= startPostgres()
    if (request.method === 'DELETE') {
      const name = (request.url ?? '/').slice(1)
      await databases.get(name)?.drop()
      databases.delete(name)
      return ''
    }
    const database = await (await postgres).createDatabase()
    databases.set(database.name, database)
    return JSON.stringify({ name: database.name, url: database.url })
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
      const started = await postgres?.catch(() => undefined)
      await started?.stop()
    },
  }
}
