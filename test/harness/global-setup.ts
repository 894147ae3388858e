/** Runs once per test run, in vitest's own process. */
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres.ts'
import { startRabbitmq } from './rabbitmq.ts'
import { openPlaces } from './run-places.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `createTestDatabase` asks for a database. PostgreSQL starts with the first question. */
    testDatabases: string
    /** Where `createTestVhost` asks for a virtual host. RabbitMQ starts with the first question. */
    testVhosts: string
  }
}

export default async function setup(project: TestProject) {
  const databases = await openPlaces(async () => {
    const postgres = await startPostgres()
    return { make: () => postgres.createDatabase(), stop: () => postgres.stop() }
  })
  const vhosts = await openPlaces(async () => {
    const rabbitmq = await startRabbitmq()
    return { make: () => rabbitmq.createVhost(), stop: () => rabbitmq.stop() }
  })
  project.provide('testDatabases', databases.url)
  project.provide('testVhosts', vhosts.url)
  return async () => {
    await vhosts.close()
    await databases.close()
  }
}
