/** Programs that tests need and the machine lacks: installed with apt-get on Debian as root, without starting a service. */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

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
    execFileSync('apt-get', [...options, ...words], { env, stdio: 'pipe', timeout: 900_000 })
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? '')
      .trim()
      .slice(-2000)
    throw new Error(`apt-get ${words.join(' ')} failed: ${said}`, { cause: error })
  }
}
