/** Where PostgreSQL's programs are; on Debian as root they are installed when missing. */
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { canInstall, installDebianPackage } from './debian-package.ts'

const DEBIAN_FOLDER = '/usr/lib/postgresql'

/** The folder that holds `initdb` and `postgres`. Says so in one line if it has to install, or what to install. */
export function postgresBinaries(): string {
  const found = find()
  if (found) return found
  if (!canInstall()) {
    throw new Error(
      'PostgreSQL is needed for these tests: install it (Debian: apt-get install postgresql; macOS: brew install postgresql), or set TEST_DATABASE_URL to a server where databases may be created.',
    )
  }
  console.log('PostgreSQL is missing: installing it with apt-get; no service is started.')
  installDebianPackage('postgresql')
  const installed = find()
  if (!installed)
    throw new Error(`apt-get installed postgresql, but no initdb is in ${DEBIAN_FOLDER}`)
  return installed
}

function find(): string | undefined {
  const debian = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : []
  const newestFirst = debian.sort((a, b) => Number(b) - Number(a))
  const { PATH = '' } = process.env
  const folders = [
    ...newestFirst.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
    ...PATH.split(delimiter),
  ]
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  )
}
