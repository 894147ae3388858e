import { defineConfig } from 'vitest/config'

/** A run of its own, which `postgres.test.ts` starts and kills. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['hang.ts'],
    globalSetup: '../global-setup.ts',
    setupFiles: '../end-with-the-run.ts',
    pool: 'forks',
    testTimeout: 300_000,
  },
})
