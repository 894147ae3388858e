/** @pacifica/core as authors have it: packed, installed outside this repository, with a project of their own. */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { dispatcherSettings } from '@pacifica/dispatcher'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyOf, readDockerfile } from '../harness/dockerfile.ts'
import {
  createTestDatabase,
  freePort,
  needPython,
  PYTHON_MS,
  startService,
} from '../harness/index.ts'
import { installPackage, npm } from '../harness/install-package.ts'

const ROOT = join(import.meta.dirname, '../..')
const PATIENCE = 300_000
const run = promisify(execFile)

let root = ''
/** Made by the checkout, as the guide has it, and given what npm packs of ours. */
let project = ''
/** Where npm has put it. */
let packs = ''
/** What its own `npm test` said, which builds it first. */
let tested = ''

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pacifica-packed-'))
  project = join(root, 'my-handler')
  packs = join(project, 'vendor')
  await run(join(ROOT, 'packages/core/bin/pacifica-dispatcher.js'), ['init', project])
  await rm(packs, { recursive: true })
  await mkdir(packs)
  const words = ['pack', '--ignore-scripts', '--pack-destination', packs]
  await npm(root, words.concat(['jsonpath', 'core'].map((name) => join(ROOT, 'packages', name))))
  await installPackage(project)
  tested = await npm(project, ['test', '--silent'])
}, 2 * PATIENCE)
afterAll(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))

/** The project's own command. */
function command(...words: string[]) {
  return run(join(project, 'node_modules/.bin/pacifica-dispatcher'), words, { cwd: project })
}

test(
  'a new project compiles in strict TypeScript, libraries checked too, and passes its own test',
  async () => {
    const { compilerOptions } = JSON.parse(await readFile(join(project, 'tsconfig.json'), 'utf8'))
    expect(compilerOptions).toMatchObject({ strict: true, skipLibCheck: false })
    expect(tested).toMatch(/pass 2\b[\s\S]*fail 0\b/)
    expect((await readdir(project)).sort()).toEqual(
      [
        ...['.dockerignore', '.gitignore', 'Dockerfile', 'README.md', 'dist', 'node_modules'],
        ...['package-lock.json', 'package.json', 'sample', 'src', 'tsconfig.json', 'vendor'],
      ].sort(),
    )
  },
  PATIENCE,
)

test(
  'a handler that is wrong does not compile',
  async () => {
    const wrong = join(project, 'src/wrong.ts')
    const lines = [
      "import { defineDispatcher, TransformHandler } from '@pacifica/core'",
      "import { runHandler } from '@pacifica/core/testing'",
      'const handler = new TransformHandler(async ({ inputs }) => inputs)',
      "export default defineDispatcher({ name: 'x', routes: [{ path: '$' }] })",
      'await runHandler(handler, { data: 5 })',
    ]
    await writeFile(wrong, lines.join('\n'))
    try {
      const compiled = run(join(project, 'node_modules/.bin/tsc'), ['--noEmit'], { cwd: project })
      const { stdout } = await compiled.then(
        () => ({ stdout: '' }),
        (error: { stdout: string }) => error,
      )
      const places = [...stdout.matchAll(/^src\/(.*?)\((\d+),/gm)].map(([, ...at]) => at.join(' '))
      expect([...new Set(places)], stdout).toEqual(['wrong.ts 3', 'wrong.ts 4', 'wrong.ts 5'])
    } finally {
      await rm(wrong)
    }
  },
  PATIENCE,
)

test(
  'the installed command runs it on its sample, and says which route took it',
  async () => {
    const given = ['--event', 'sample/event.json']
    const { stdout } = await command('run', ...given, '--data', 'sample', '--out', 'out')
    expect(stdout).toContain('data/lines.csv  42 bytes, text/csv')
    const result = await readFile(join(project, 'out/bundle-1/data/lines.csv'), 'utf8')
    expect(result).toBe('file,lines\nfox.txt,3\nrun 1/spectrum.csv,4\n')
    expect((await command('routes', ...given)).stdout).toContain('route 1 matches')
  },
  PATIENCE,
)

test(
  'a handler that waits for what never comes is told of, where Node would end without a word',
  async () => {
    const lines = [
      "import { defineDispatcher } from '@pacifica/core'",
      'const handler = { handle: () => new Promise(() => undefined) }',
      "export default defineDispatcher({ name: 'x', routes: [{ path: '$', handler }] })",
    ]
    await writeFile(join(project, 'stuck.mjs'), lines.join('\n'))
    const words = ['run', '--event', 'sample/event.json', '--out', 'stuck', 'stuck.mjs']
    await expect(command(...words)).rejects.toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('waits for something that never comes') },
    })
  },
  PATIENCE,
)

test.each(['shell', 'python'])(
  'the installed command makes a project in %s, which passes its own test',
  async (template) => {
    const other = join(root, `in-${template}`)
    await command('init', other, '--template', template)
    await checkDockerfile(other)
    for (const name of await readdir(packs)) {
      expect(await membersOf(join(other, 'vendor', name))).toEqual(
        await membersOf(join(packs, name)),
      )
    }
    if (template === 'python') await needPython()
    await symlink(join(project, 'node_modules'), join(other, 'node_modules'))
    const { stdout } = await run(process.execPath, ['--test', 'src/index.test.js'], { cwd: other })
    expect(stdout).toMatch(/pass 2\b[\s\S]*fail 0\b/)
  },
  PATIENCE + PYTHON_MS,
)

/** Their names, and what is in them. */
async function membersOf(pack: string): Promise<Record<string, string>> {
  const archive = createReadStream(pack).pipe(createGunzip()).pipe(extract())
  const members: Record<string, string> = {}
  for await (const entry of archive) {
    members[entry.header.name] = await text(entry as AsyncIterable<Buffer>)
  }
  return members
}

test('its Dockerfile copies what is there, and runs what the image of the services has', () =>
  checkDockerfile(project))

/** What `npm install` will have made. */
const MADE = 'package-lock.json'

async function checkDockerfile(folder: string): Promise<void> {
  const stages = await readDockerfile(join(folder, 'Dockerfile'))
  const { main } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const steps = stages.flatMap((stage) => stage.steps)
  const copies = steps.filter(({ instruction }) => instruction === 'COPY').map(copyOf)
  const sources = copies.flatMap(({ from, sources: some }) => (from === undefined ? some : []))
  for (const source of sources.filter((path) => path !== MADE)) await stat(join(folder, source))
  const last = stages.at(-1)
  const said = (name: string) => last?.steps.find(({ instruction }) => instruction === name)?.text
  expect(last?.from).toMatch(/^\$\{BASE\}$/)
  expect(said('ENV')).toBe(`DISPATCHER_MODULE=/app/dispatcher/${main}`)
  expect(said('CMD')).toBe('["apps/dispatcher/dist/main.js"]')
  const port = dispatcherSettings.port.default
  expect(said('HEALTHCHECK')).toContain(`"deploy/health.mjs", "http://127.0.0.1:${port}/healthz"`)
  for (const path of ['apps/dispatcher/dist/main.js', 'deploy/health.mjs']) {
    await stat(join(ROOT, path))
  }
  const compose = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8')
  const [, base] = /^ARG BASE=(.*)$/m.exec(await readFile(join(folder, 'Dockerfile'), 'utf8')) ?? []
  expect(compose).toContain(`image: ${base}\n`)
}

test(
  'the service runs it by DISPATCHER_MODULE, changed as the guide says',
  async () => {
    const guide = await readFile(join(ROOT, 'docs/guides/your-first-handler.md'), 'utf8')
    const shown = (path: string) =>
      guide.split(`\`\`\`ts\n// src/${path}\n`)[1]?.split('```')[0] ?? ''
    const itsTest = join(project, 'src/index.test.ts')
    const before = await readFile(itsTest, 'utf8')
    await writeFile(join(project, 'src/count-lines.ts'), shown('count-lines.ts'))
    await writeFile(
      itsTest,
      before.replace(/^.*'lines.csv'.*\n/m, () => shown('index.test.ts')),
    )
    await run(join(project, 'node_modules/.bin/tsc'), { cwd: project })
    const database = await createTestDatabase()
    const bundles = join(root, 'bundles')
    const port = String(await freePort())
    const service = startService('apps/dispatcher/dist/main.js', {
      DISPATCHER_MODULE: join(project, 'dist/index.js'),
      DISPATCHER_DATABASE_URL: database.url,
      DISPATCHER_PORT: port,
      DATA_DIR: root,
      CARTD_URL: `file://${project}/sample`,
      INGEST_URL: `file://${bundles}`,
    })
    const url = `http://127.0.0.1:${port}`
    try {
      await service.ready([url])
      const body = await readFile(join(project, 'sample/event.json'))
      const headers = { 'content-type': 'application/json' }
      const posted = await fetch(`${url}/receive`, { method: 'POST', headers, body })
      const task = await posted.json()
      expect(await statusAtTheEnd(`${url}/status/${task}`), service.output()).toBe('200 OK')
      const bundle = join(bundles, `${task}.tar`)
      const { stdout } = await run('tar', ['xOf', bundle, 'data/lines.csv'])
      const [, expected = ''] = /'(file,.*)'/.exec(shown('index.test.ts')) ?? []
      expect(stdout).toBe(expected.replaceAll('\\n', '\n'))
    } finally {
      await service.kill('SIGKILL')
      await database.drop()
    }
  },
  PATIENCE,
)

async function statusAtTheEnd(url: string): Promise<string> {
  const end = performance.now() + PATIENCE / 2
  for (;;) {
    const status = (await (await fetch(url)).json()) as string
    if (!/^(202|102)/.test(status) || performance.now() > end) return status
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
