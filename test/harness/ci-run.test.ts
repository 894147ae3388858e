import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const RUN = fileURLToPath(new URL('../../.ci/run', import.meta.url))

/** What `.ci/run` makes of an npm that behaves so. */
function ciRun(npm: { ci: string; test: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'pacifica-ci-'))
  try {
    mkdirSync(join(folder, 'bin'))
    const script = `#!/bin/sh\ncase "$1" in ci) ${npm.ci} ;; test) ${npm.test} ;; *) exit 99 ;; esac\n`
    writeFileSync(join(folder, 'bin', 'npm'), script, { mode: 0o755 })
    const { PATH = '' } = process.env
    const env = { ...process.env, PATH: join(folder, 'bin') + delimiter + PATH }
    const { status, stdout } = spawnSync('bash', [RUN], { env, encoding: 'utf8' })
    return { status, last: stdout.trimEnd().split('\n').at(-1), stdout }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test.each([
  [
    'all is well',
    { ci: 'true', test: 'echo 12 passed, 0 failed, 1 skipped' },
    0,
    '12 passed, 0 failed, 1 skipped',
  ],
  [
    'a test fails and npm has the last word',
    { ci: 'true', test: 'echo 12 passed, 2 failed, 0 skipped; echo npm error >&2; exit 1' },
    1,
    '12 passed, 2 failed, 0 skipped',
  ],
  [
    'the installation fails',
    { ci: 'exit 7', test: 'echo 12 passed, 0 failed, 0 skipped' },
    7,
    '0 passed, 1 failed, 0 skipped',
  ],
  ['the build fails', { ci: 'true', test: 'exit 2' }, 2, '0 passed, 1 failed, 0 skipped'],
  [
    'the run breaks after its tests',
    { ci: 'true', test: 'echo 12 passed, 0 failed, 0 skipped; exit 3' },
    3,
    '12 passed, 1 failed, 0 skipped',
  ],
  [
    'nothing is tested',
    { ci: 'true', test: 'echo 0 passed, 0 failed, 0 skipped' },
    1,
    '0 passed, 1 failed, 0 skipped',
  ],
])('when %s, the exit code and the last line say so', (_, npm, status, last) => {
  expect(ciRun(npm)).toMatchObject({ status, last })
})

test('what the tests print is shown', () => {
  const { stdout } = ciRun({
    ci: 'echo installing',
    test: 'echo testing; echo 1 passed, 0 failed, 0 skipped',
  })
  expect(stdout).toContain('installing\ntesting\n')
})
