import { readFileSync } from 'node:fs'

interface Manifest {
  readonly version: string
}

const manifest: Manifest = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)

/** Of this package: shown by `--version` and in every error body. */
export const VERSION = manifest.version
