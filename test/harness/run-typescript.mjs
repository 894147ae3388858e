/** `node run-typescript.mjs FILE …`: runs a TypeScript file from source, as vitest would, in a process of its own. */
import { createRequire } from 'node:module'

// vite comes with vitest
const vite = createRequire(createRequire(import.meta.url).resolve('vitest/package.json')).resolve(
  'vite',
)
const { runnerImport } = await import(vite)
const conditions = ['source', 'node']
await runnerImport(process.argv[2], {
  configFile: false,
  logLevel: 'error',
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node'] } },
})
