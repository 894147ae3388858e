/** Runs once per test run, in vitest's own process. */
import type { TestProject } from 'vitest/node'
import { openTestDatabases } from './test-databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `createTestDatabase` asks for a database. PostgreSQL starts with the first question. */
    testDatabases: string
  }
}

export default async function setup(project: TestProject) {
  const databases = await openTestDatabases()
  project.provide('testDatabases', databases.url)
  return () => databases.close()
}
