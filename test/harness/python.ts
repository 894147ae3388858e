/** Python, for the tests that run programs written in it; on Debian as root it is installed when missing. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { APT_LOCK, canInstall } from './debian-package.ts'

const run = promisify(execFile)

/** Files that need it run side by side: who comes second finds it installed. */
const INSTALL = [
  'python3 --version || {',
  'apt-get --quiet --quiet update &&',
  'apt-get --quiet --quiet -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends python3; }',
].join(' ')

/** For `beforeAll`: an installation takes its time. */
export const PYTHON_MS = 900_000

/** Resolves when there is a `python3`. Says so in one line if it has to install, or rejects with what to install. */
export async function needPython(): Promise<void> {
  if (await isThere()) return
  if (!canInstall()) {
    throw new Error(
      'python3 is needed for these tests: install it (Debian: apt-get install python3; macOS: brew install python3).',
    )
  }
  console.log('python3 is missing: installing it with apt-get.')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('flock', [APT_LOCK, 'sh', '-c', INSTALL], { env, timeout: PYTHON_MS })
  if (!(await isThere())) throw new Error('apt-get installed python3, but it is not on PATH')
}

async function isThere(): Promise<boolean> {
  return run('python3', ['--version']).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}
