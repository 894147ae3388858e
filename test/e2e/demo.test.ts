/** The demo goes all the way; and each of its steps, when it is broken, ends it and is named. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type DemoOptions, runDemo } from '../../apps/standalone/src/demo/run-demo.ts'

const ROOT = join(import.meta.dirname, '../..')
const SAMPLE = join(ROOT, 'apps/standalone/sample')
const PATIENCE = 300_000

let folder: string
let lines: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
  lines = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Runs it with something broken; resolves to the step that failed. */
async function broken(how: {
  env?: Record<string, string>
  jsonpath?: string
  sample?: string
  withinMs?: number
}): Promise<string | undefined> {
  const options: DemoOptions = {
    env: { ...how.env },
    sample: { folder: how.sample ?? SAMPLE, jsonpath: how.jsonpath ?? '$.data' },
    withinMs: how.withinMs ?? 60_000,
    tmpdir: folder,
    print: (line) => lines.push(line),
  }
  return runDemo(options)
}

const dispatcherModule = (name: string) => ({
  DISPATCHER_MODULE: join(import.meta.dirname, 'dispatchers', name),
})

test(
  'one event goes all the way, and the bundle that it leaves can be read by others',
  async () => {
    const demo = spawn(process.execPath, ['apps/standalone/dist/demo/main.js'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], TMPDIR: folder },
    })
    let said = ''
    demo.stdout.on('data', (piece) => {
      said += piece
    })
    const [code] = await once(demo, 'close')
    expect(said).toMatch(
      /ready .*\n.*subscribed .*\n.*accepted .*\n.*matched .*\n.*policy .*\n.*dispatched .*\n.*files taken .*\n.*handler .*\n.*bundle /,
    )
    expect(code).toBe(0)
    const bundles = /The bundle is in (.*)/.exec(said)?.[1] ?? ''
    const [bundle] = await readdir(bundles)
    const listed = await promisify(execFile)('tar', ['tf', join(bundles, bundle ?? '')])
    expect(listed.stdout.split('\n')).toEqual([
      'data/lipsum.txt',
      'data/run 7/notes.txt',
      'metadata.txt',
      '',
    ])
  },
  PATIENCE,
)

test(
  'without a dispatcher to load it ends at the step "started"',
  async () => {
    expect(await broken({ env: dispatcherModule('no-such-file.mjs') })).toBe('started')
    expect(lines.join('\n')).toContain('no-such-file.mjs')
  },
  PATIENCE,
)

test(
  'without an API it ends at the step "ready"',
  async () => {
    expect(await broken({ env: { ROLES: 'match,deliver' }, withinMs: 1_000 })).toBe('ready')
  },
  PATIENCE,
)

test(
  'with an expression that is refused it ends at the step "subscribed"',
  async () => {
    expect(await broken({ jsonpath: "$['data']" })).toBe('subscribed')
    expect(lines.join('\n')).toContain('double quotes')
  },
  PATIENCE,
)

test(
  'with an event that is none it ends at the step "accepted"',
  async () => {
    await cp(SAMPLE, folder, { recursive: true })
    await writeFile(join(folder, 'event.json'), '{"eventID": "67"}')
    expect(await broken({ sample: folder })).toBe('accepted')
  },
  PATIENCE,
)

test(
  'with a subscription that wants something else it ends at the step "matched"',
  async () => {
    expect(await broken({ jsonpath: '$.nothing' })).toBe('matched')
  },
  PATIENCE,
)

test(
  'with a Policy that says no it ends at the step "policy"',
  async () => {
    const policy = createServer((_request, response) => {
      response.writeHead(412).end('not your project')
    }).listen(0, '127.0.0.1')
    await once(policy, 'listening')
    const { port } = policy.address() as AddressInfo
    try {
      expect(await broken({ env: { POLICY_URL: `http://127.0.0.1:${port}` } })).toBe('policy')
      expect(lines.join('\n')).toContain('not your project')
    } finally {
      policy.closeAllConnections()
      policy.close()
    }
  },
  PATIENCE,
)

test(
  'without anybody who delivers it ends at the step "dispatched"',
  async () => {
    expect(await broken({ env: { ROLES: 'api,match' }, withinMs: 10_000 })).toBe('dispatched')
  },
  PATIENCE,
)

test(
  'without one of its files it ends at the step "files taken"',
  async () => {
    await cp(SAMPLE, folder, { recursive: true })
    await rm(join(folder, 'data/lipsum.txt'))
    expect(await broken({ sample: folder })).toBe('files taken')
    expect(lines.join('\n')).toContain('lipsum.txt')
  },
  PATIENCE,
)

test(
  'with a handler that throws it ends at the step "handler"',
  async () => {
    expect(await broken({ env: dispatcherModule('throwing.mjs') })).toBe('handler')
    expect(lines.join('\n')).toContain('the spectrometer model is missing')
  },
  PATIENCE,
)

test(
  'with a result that is not what it should be it ends at the step "bundle"',
  async () => {
    expect(await broken({ env: dispatcherModule('lower-case.mjs') })).toBe('bundle')
  },
  PATIENCE,
)
