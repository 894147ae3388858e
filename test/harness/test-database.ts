import { inject } from 'vitest'
import { askForPlace } from './run-places.ts'

/** An empty PostgreSQL database for one test (file). The first call of a run starts the server: allow it 180 s. */
export function createTestDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  return askForPlace(inject('testDatabases'), 'test database')
}
