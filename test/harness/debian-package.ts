/** Programs that tests need and the machine lacks: installed with apt-get on Debian as root, without starting a service. */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Taken for each call of apt-get: its own lock on the lists ends whoever comes second. Only root can write there. */
export const APT_LOCK = '/var/cache/apt/pacifica-tests.lock'

const POLICY = '/usr/sbin/policy-rc.d'

export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version')
}

/** Debian starts a service when it installs one, unless this policy says no. */
export function installDebianPackage(name: string): void {
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    apt('update')
    apt('install', '--yes', '--no-install-recommends', name)
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
}

function apt(...words: string[]) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['--quiet', '--quiet', '-o', 'DPkg::Lock::Timeout=300']
  try {
    const command = ['apt-get', ...options, ...words]
    execFileSync('flock', [APT_LOCK, ...command], { env, stdio: 'pipe', timeout: 900_000 })
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? '')
      .trim()
      .slice(-2000)
    throw new Error(`apt-get ${words.join(' ')} failed: ${said}`, { cause: error })
  }
}
