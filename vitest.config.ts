import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Also given to node itself, so no 'import' here: it would turn a require() into an ES module. */
const conditions = ['source', 'node']

/** What both projects share: our packages are read from their sources, no build needed. */
const fromSource = { resolve: { conditions }, ssr: { resolve: { conditions } } }

const everyTest = {
  setupFiles: fileURLToPath(new URL('test/harness/end-with-the-run.ts', import.meta.url)),
  // Ten times what a quiet machine needs.
  testTimeout: 60_000,
  hookTimeout: 180_000,
  teardownTimeout: 60_000,
}

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/harness/global-setup.ts',
    reporters: ['default', './test/harness/plain-reporter.ts'],
    coverage: { include: ['{packages,apps,examples}/*/src/**/*.ts'] },
    projects: [
      {
        ...fromSource,
        test: {
          ...everyTest,
          name: 'unit',
          include: ['{packages,apps,examples}/*/src/**/*.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...fromSource,
        test: {
          ...everyTest,
          name: 'end-to-end',
          include: ['test/**/*.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
