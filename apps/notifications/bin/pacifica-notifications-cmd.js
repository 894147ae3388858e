#!/usr/bin/env node
// Here, and not in dist, so that npm can link it before anything is built.
import { existsSync } from 'node:fs'

const main = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(main)) {
  await import(main.href)
} else {
  console.error('pacifica-notifications-cmd is not built yet: run `npm run build` first')
  process.exitCode = 2
}
