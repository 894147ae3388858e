/** The demo goes all the way; and each of its steps, when it is broken, ends it and is named. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createLifetime, type LifetimeControl } from '@pacifica/platform'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { runDemo } from '../../apps/standalone/src/demo/run-demo.ts'
import { type DemoSite, startDemoSite } from '../../apps/standalone/src/demo/site.ts'
import { walk } from '../../apps/standalone/src/demo/walk.ts'
import { freePort, silentLog as log } from '../harness/index.ts'

const ROOT = join(import.meta.dirname, '../..')
const SAMPLE = join(ROOT, 'apps/standalone/sample')
const MARKED = '$["data"][*][?(@["key"] = "example-key")]'
const PATIENCE = 300_000

let folder: string
let lines: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
  lines = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const print = (line: string) => lines.push(line)
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
      /ready .*\n.*subscribed .*\n.*accepted .*\n.*matched .*\n.*policy .*\n.*dispatched .*\n.*files taken .*\n.*handler .*\n.*ingested .*\n.*bundle (.*\n)*.*announced .*matches 0 subscriptions\n/,
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
  'without a dispatcher to load it ends with 1 at the step "started"',
  async () => {
    const env = dispatcherModule('no-such-file.mjs')
    const sample = { folder: SAMPLE, jsonpath: MARKED }
    const failed = await runDemo({ env, sample, withinMs: 60_000, tmpdir: folder, print })
    expect(failed).toBe('started')
    expect(lines.join('\n')).toContain('no-such-file.mjs')
  },
  PATIENCE,
)

describe('on one site', () => {
  let data: string
  let life: LifetimeControl
  let site: DemoSite
  let walks = 0

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'demo-site-'))
    life = createLifetime({ log }, { graceMs: 10_000 })
    const env = dispatcherModule('breakable.mjs')
    site = await startDemoSite(life, { log }, { env, sample: SAMPLE, folder: data })
  }, PATIENCE)
  afterAll(async () => {
    await life.stop('the tests are over')
    await rm(data, { recursive: true, force: true })
  }, PATIENCE)
  afterEach(async () => {
    const { faults, policy } = site.pacifica
    Object.assign(faults, { cartd: {}, ingest: {}, metadata: {} })
    policy.behave('as it is')
  })

  /** What earlier walks have subscribed would match as well. */
  async function unsubscribe(): Promise<void> {
    const url = `${site.running.notificationsUrl}/eventmatch`
    const subscriptions = (await (await fetch(url)).json()) as { uuid: string }[]
    for (const { uuid } of subscriptions) await fetch(`${url}/${uuid}`, { method: 'DELETE' })
  }

  interface Breaking {
    readonly jsonpath?: string
    /** Asked of the dispatcher: a handler that throws, or one whose result is wrong. */
    readonly please?: string
    /** Instead of the sample's event. */
    readonly event?: string
    readonly running?: Partial<DemoSite['running']>
    readonly withinMs?: number
  }

  /** Goes all the way with an event that nobody has seen yet; resolves to the step that failed. */
  async function broken(how: Breaking = {}): Promise<string | undefined> {
    await unsubscribe()
    await cp(SAMPLE, folder, { recursive: true })
    const event = JSON.parse(await readFile(join(SAMPLE, 'event.json'), 'utf8'))
    walks += 1
    event.eventID = `metadata.ingest.67.${walks}`
    const please = { destinationTable: 'TransactionKeyValue', key: 'please', value: how.please }
    if (how.please !== undefined) event.data.push(please)
    await writeFile(join(folder, 'event.json'), how.event ?? JSON.stringify(event))
    const running = { ...site.running, ...how.running }
    return walk(
      { ...site, running },
      {
        sample: { folder, jsonpath: how.jsonpath ?? MARKED },
        withinMs: how.withinMs ?? 60_000,
        print,
      },
    )
  }

  const faults = () => site.pacifica.faults

  test(
    'an event goes all the way when nothing is broken, and then another one',
    async () => {
      expect(await broken(), lines.join('\n')).toBeUndefined()
      lines = []
      expect(await broken(), lines.join('\n')).toBeUndefined()
      expect(lines.join('\n')).toContain('pacifica-dispatcher.chain = example')
    },
    PATIENCE,
  )

  test(
    'without an API it ends at the step "ready"',
    async () => {
      const notificationsUrl = `http://127.0.0.1:${await freePort()}`
      expect(await broken({ running: { notificationsUrl }, withinMs: 1_000 })).toBe('ready')
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
      expect(await broken({ event: '{"eventID": "67"}' })).toBe('accepted')
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
      site.pacifica.policy.behave({ status: 412, body: 'not your project' })
      expect(await broken()).toBe('policy')
      expect(lines.join('\n')).toContain('not your project')
    },
    PATIENCE,
  )

  test(
    'without the dispatcher that is subscribed it ends at the step "dispatched"',
    async () => {
      expect(await broken({ running: { dispatcher: 'nobody' } })).toBe('dispatched')
    },
    PATIENCE,
  )

  test(
    'with a cart that fails, or that brings another byte, it ends at the step "files taken"',
    async () => {
      faults().cartd = { fails: 'the tape robot is stuck' }
      expect(await broken()).toBe('files taken')
      expect(lines.join('\n')).toContain('the tape robot is stuck')
      faults().cartd = { alters: ['run 7/notes.txt'] }
      expect(await broken()).toBe('files taken')
      expect(lines.join('\n')).toContain('FilesAlteredError')
    },
    PATIENCE,
  )

  test(
    'with a handler that throws it ends at the step "handler"',
    async () => {
      expect(await broken({ please: 'throw' })).toBe('handler')
      expect(lines.join('\n')).toContain('the spectrometer model is missing')
    },
    PATIENCE,
  )

  test(
    'with an Ingest that does not want the result it ends at the step "ingested"',
    async () => {
      faults().ingest = { failsAt: 'Policy Validation' }
      expect(await broken()).toBe('ingested')
      expect(lines.join('\n')).toContain('Policy Validation')
    },
    PATIENCE,
  )

  test(
    'with a result that is not what it should be it ends at the step "bundle"',
    async () => {
      expect(await broken({ please: 'lower-case' })).toBe('bundle')
    },
    PATIENCE,
  )

  test(
    'with a Metadata whose event for the result is none it ends at the step "announced"',
    async () => {
      faults().metadata = { says: () => '{"eventID": "68"}' }
      expect(await broken()).toBe('announced')
      faults().metadata = { tellsNobody: true }
      expect(await broken()).toBe('announced')
    },
    PATIENCE,
  )
})
