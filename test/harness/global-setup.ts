/** Runs once per test run, in vitest's own process. */
import type { TestProject } from 'vitest/node'
import { openTestVhosts } from './rabbitmq-vhosts.ts'
import { openTestDatabases } from './test-databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `createTestDatabase` asks for a database. PostgreSQL starts with the first question. */
    testDatabases: string
    /** Where `createTestVhost` asks for a virtual host. RabbitMQ starts with the first question. */
    testVhosts: string
  }
}

export default async function setup(project: TestProject) {
  const databases = await openTestDatabases()
  const vhosts = await openTestVhosts()
  project.provide('testDatabases', databases.url)
  project.provide('testVhosts', vhosts.url)
  return async () => {
    await vhosts.close()
    await databases.close()
  }
}
