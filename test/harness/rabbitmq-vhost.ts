import { inject } from 'vitest'
import { askForPlace } from './run-places.ts'

/** An empty virtual host for one test (file). The first call of a run starts the broker: allow it 180 s. */
export function createTestVhost(): Promise<{ url: string; drop(): Promise<void> }> {
  return askForPlace(inject('testVhosts'), 'virtual host')
}
