/** wrk, the load generator of the benchmarks over HTTP; on Debian as root it is installed when missing. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { canInstall, installDebianPackage } from './debian-package.ts'

/** The path of `wrk`. Says so in one line if it has to install, or what to install. */
export function wrkProgram(): string {
  const found = find()
  if (found) return found
  if (!canInstall()) {
    throw new Error(
      'wrk is needed for this benchmark: install it (Debian: apt-get install wrk; macOS: brew install wrk).',
    )
  }
  console.log('wrk is missing: installing it with apt-get.')
  installDebianPackage('wrk')
  const installed = find()
  if (!installed) throw new Error('apt-get installed wrk, but it is not on PATH')
  return installed
}

function find(): string | undefined {
  const { PATH = '' } = process.env
  return [...PATH.split(delimiter), '/usr/bin']
    .map((folder) => join(folder, 'wrk'))
    .find((path) => existsSync(path))
}
