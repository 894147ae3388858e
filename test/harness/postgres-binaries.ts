/** Where PostgreSQL's programs are; on Debian as root they are installed when missing. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const DEBIAN_FOLDER = '/usr/lib/postgresql'
const POLICY = '/usr/sbin/policy-rc.d'

/** The folder that holds `initdb` and `postgres`. Says so in one line if it has to install, or what to install. */
export function postgresBinaries(): string {
  const found = find()
  if (found) return found
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(
      'PostgreSQL is needed for these tests: install it (Debian: apt-get install postgresql; macOS: brew install postgresql), or set TEST_DATABASE_URL to a server where databases may be created.',
    )
  }
  console.log('PostgreSQL is missing: installing it with apt-get; no service is started.')
  install()
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

/** Debian starts a service when it installs one, unless this policy says no. */
function install() {
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    apt('update')
    apt('install', '--yes', '--no-install-recommends', 'postgresql')
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
}

function apt(...words: string[]) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['--quiet', '--quiet', '-o', 'DPkg::Lock::Timeout=300']
  try {
    execFileSync('apt-get', [...options, ...words], { env, stdio: 'pipe', timeout: 900_000 })
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? '')
      .trim()
      .slice(-2000)
    throw new Error(`apt-get ${words.join(' ')} failed: ${said}`, { cause: error })
  }
}
