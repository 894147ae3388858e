import { defineConfig } from 'vitest/config'

/** A run of its own, which the harness's own tests start and kill. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['hang*.ts'],
    globalSetup: '../global-setup.ts',
    setupFiles: '../end-with-the-run.ts',
    pool: 'forks',
    testTimeout: 300_000,
  },
})
