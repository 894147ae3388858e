/**
 * Docker does not run here, so the Dockerfile and docker-compose.yml are held against the code in both directions. That
 * the stack really starts and works is test/e2e/stack.test.ts.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dispatcherSettings } from '@pacifica/dispatcher'
import { notificationsSettings, ROLES } from '@pacifica/notifications'
import { brokerUrlKind, parseDuration, type Settings, STOP_MS, setting } from '@pacifica/platform'
import { afterAll, expect, test } from 'vitest'
import { NODE_ARGS } from '../../bench/pipeline/run.ts'
import { containerOf, copyOf, readDockerfile } from '../harness/dockerfile.ts'
import { readDockerignore } from '../harness/dockerignore.ts'
import {
  type ComposeService,
  composeText,
  programOf,
  readCompose,
  VARIABLE,
} from '../harness/index.ts'
import { ROOT } from './imports.ts'

const run = promisify(execFile)
const SITE = {
  POLICY_URL: 'http://policy.site:8181',
  CARTD_URL: 'http://cartd.site:8081',
  INGEST_URL: 'http://ingest.site:8066',
}
const APPS = {
  'apps/notifications/dist/main.js': notificationsSettings,
  'apps/notifications/dist/cli/main.js': notificationsSettings,
  'apps/dispatcher/dist/main.js': {
    ...dispatcherSettings,
    brokerUrl: setting.of('BROKER_URL', brokerUrlKind, { doc: '', secret: true }),
  },
} satisfies Record<string, Settings>

const stages = await readDockerfile(join(ROOT, 'Dockerfile'))
const container = containerOf(stages)
const compose = await readCompose(SITE)
const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'pacifica-events')
const secretsFolder = await mkdtemp(join(tmpdir(), 'pacifica-secrets-'))
await run('sh', [join(ROOT, 'deploy/make-secrets.sh'), secretsFolder])
afterAll(() => rm(secretsFolder, { recursive: true }))

function entryOf({ command }: ComposeService): keyof typeof APPS {
  const { entry } = programOf(command ?? container.command)
  if (!(entry in APPS)) throw new Error(`no program of ours: ${entry}`)
  return entry as keyof typeof APPS
}

function variablesOf(settings: Settings): string[] {
  return Object.values(settings).flatMap(({ variable, aliases, secret }) => {
    const names = [variable, ...aliases]
    return secret ? [...names, ...names.map((name) => `${name}_FILE`)] : names
  })
}

const listed = ({ secrets = [] }: ComposeService) =>
  secrets.map((one) => (typeof one === 'string' ? one : one.source))
const isService = ({ depends_on: after = {} }: ComposeService) =>
  Object.values(after).some(({ condition }) => condition === 'service_completed_successfully')
const sorted = (words: Iterable<string>) => [...new Set(words)].sort()
const there = (path: string) =>
  stat(join(ROOT, path)).then(
    () => true,
    () => false,
  )

test('what matches and delivers is started with the flags that it is measured with', () => {
  const worker = programOf(compose.services['worker']?.command ?? [])
  expect(worker.nodeArgs).toEqual(NODE_ARGS)
  expect(programOf(container.command)).toEqual(worker)
})

test('the image is given every workspace, and what it copies is there and is not ignored', async () => {
  const ignored = await readDockerignore(join(ROOT, '.dockerignore'))
  const copies = stages.flatMap(({ steps }) =>
    steps.filter(({ instruction }) => instruction === 'COPY').map(copyOf),
  )
  const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources)
  for (const source of sources) expect([source, await there(source)]).toEqual([source, true])
  expect(sources.filter(ignored)).toEqual([])
  const manifest: { workspaces: string[] } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8'),
  )
  const workspaces = await Promise.all(
    manifest.workspaces.map(async (pattern) => {
      if (!pattern.endsWith('/*')) return [`${pattern}/package.json`]
      const names = await readdir(join(ROOT, pattern.slice(0, -2)))
      return names.map((name) => `${pattern.slice(0, -1)}${name}/package.json`)
    }),
  )
  expect(sorted(sources.filter((path) => /\/package\.json$/.test(path)))).toEqual(
    workspaces.flat().sort(),
  )
  for (const path of ['.git/config', '.env', 'secrets/secret_key', 'apps/x/dist/main.js'])
    expect([path, ignored(path)]).toEqual([path, true])
})

test('the image runs as its own user, listens on the network, and its ports are the defaults', () => {
  expect(container.user).toBe('pacifica')
  expect(container.entrypoint).toEqual(['node'])
  expect(container.ports.map(String)).toEqual([
    notificationsSettings.port.default,
    dispatcherSettings.port.default,
  ])
  const { NODE_ENV, ...env } = container.env
  expect(NODE_ENV).toBe('production')
  const known = [...variablesOf(notificationsSettings), ...variablesOf(dispatcherSettings)]
  expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([])
  expect(env).toMatchObject({ NOTIFICATIONS_HOST: '0.0.0.0', DISPATCHER_HOST: '0.0.0.0' })
  expect(container.volumes).toEqual([env['DATA_DIR']])
})

test.each(ours)(
  '%s is given settings that its program reads, all of them texts',
  (_name, service) => {
    const known = variablesOf(APPS[entryOf(service)])
    const env = service.environment ?? {}
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([])
    for (const value of Object.values(env)) expect(value).toBeTypeOf('string')
  },
)

test.each(ours)('%s is given the secrets that it names, and no other', (_name, service) => {
  const named = Object.values(service.environment ?? {}).flatMap(
    (value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? [],
  )
  expect(sorted(named)).toEqual(sorted(listed(service)))
})

test.each(ours)(
  '%s runs a program that is built, and is asked whether it is alive',
  async (_name, service) => {
    const entry = entryOf(service)
    expect(await there(entry.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))).toBe(true)
    if (!isService(service)) return expect(service.healthcheck).toEqual({ disable: true })
    const { port } = APPS[entry as 'apps/dispatcher/dist/main.js']
    const url = `http://127.0.0.1:${port.default}/healthz`
    expect(service.healthcheck?.test).toEqual(['CMD', 'node', 'deploy/health.mjs', url])
  },
)

test.each(ours)('%s is stopped gently, started again, and bounded', (_name, service) => {
  expect(parseDuration(service.stop_grace_period ?? '')).toBeGreaterThan(STOP_MS)
  expect(service.restart).toMatch(isService(service) ? /^unless-stopped$/ : /^on-failure/)
  expect(service.init).toBe(true)
  expect(service.deploy?.resources?.limits).toEqual({
    cpus: expect.any(String),
    memory: expect.any(String),
  })
})

test('one image is built, which all services of ours are made from', () => {
  const building = Object.values(compose.services).filter(({ build }) => build !== undefined)
  expect(building).toEqual([expect.objectContaining({ image: 'pacifica-events', build: '.' })])
})

test('every role is run: the api by one process, the others by two', () => {
  const replicas = new Map<string, number>()
  for (const [, { environment = {}, deploy }] of ours)
    for (const role of environment['ROLES']?.split(',') ?? [])
      replicas.set(role, (replicas.get(role) ?? 0) + (deploy?.replicas ?? 1))
  expect(Object.fromEntries(replicas)).toEqual(
    Object.fromEntries(ROLES.map((role) => [role, role === 'api' ? 1 : 2])),
  )
  expect(compose.services['dispatcher']?.deploy?.replicas).toBe(2)
})

test('tables are brought up to date before anything starts, and by nothing else', () => {
  const steps = ours.filter(([, service]) => !isService(service)).map(([name]) => name)
  expect(steps).toEqual(['migrate-notifications', 'migrate-dispatcher'])
  for (const [name, { depends_on: after = {}, environment = {} }] of ours) {
    if (steps.includes(name)) {
      expect(after).toEqual({ postgres: { condition: 'service_healthy' } })
      continue
    }
    expect(environment['MIGRATE_AT_START']).toBe('no')
    expect(Object.keys(after)).toEqual([
      name === 'dispatcher' ? 'migrate-dispatcher' : 'migrate-notifications',
      'rabbitmq',
    ])
  }
})

test('the api and the workers seal secrets with the same key', () => {
  const keys = ours
    .filter(([, service]) => entryOf(service).startsWith('apps/notifications'))
    .map(([, { environment }]) => environment?.['SECRET_KEY_FILE'])
  expect(new Set(keys)).toEqual(new Set(['/run/secrets/secret_key']))
})

test('networks and volumes are declared and used; the engines are reached by nobody else', () => {
  const services = Object.entries(compose.services)
  expect(sorted(services.flatMap(([, { networks = [] }]) => networks))).toEqual(
    sorted(Object.keys(compose.networks)),
  )
  const volumes = services.flatMap(([, { volumes: some = [] }]) =>
    some.map((one) => one.split(':')),
  )
  const named = volumes.flatMap(([name = '']) => (/^[a-z]/.test(name) ? [name] : []))
  expect(sorted(named)).toEqual(sorted(Object.keys(compose.volumes)))
  expect(compose.networks['backend']).toEqual({ internal: true })
  for (const name of ['postgres', 'rabbitmq']) {
    expect(compose.services[name]?.networks).toEqual(['backend'])
    expect(compose.services[name]?.ports).toBeUndefined()
  }
  const published = services.filter(([, { ports }]) => ports !== undefined)
  const port = notificationsSettings.port.default
  expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
    ['api', [`127.0.0.1:${port}:${port}`]],
  ])
})

test('where events are taken, the spool outlives its process', () => {
  for (const [name, { environment = {}, volumes = [] }] of ours) {
    const takesEvents = /\b(api|intake)\b/.test(environment['ROLES'] ?? '')
    const spool = `spool:${container.env['DATA_DIR']}`
    expect([name, volumes.includes(spool)]).toEqual([name, takesEvents])
  }
})

test('the script makes every secret, each is used, and a second run changes none', async () => {
  const made = (await readdir(secretsFolder)).sort()
  expect(made).toEqual(sorted(Object.keys(compose.secrets)))
  for (const [name, { file }] of Object.entries(compose.secrets))
    expect(file).toBe(`./secrets/${name}`)
  expect(sorted(Object.values(compose.services).flatMap(listed))).toEqual(made)
  const read = () => Promise.all(made.map((name) => readFile(join(secretsFolder, name), 'utf8')))
  const before = await read()
  expect(new Set(before).size).toBe(made.length)
  await run('sh', [join(ROOT, 'deploy/make-secrets.sh'), secretsFolder])
  expect(await read()).toEqual(before)
  expect((await stat(secretsFolder)).mode & 0o777).toBe(0o700)
  for (const name of made) expect((await stat(join(secretsFolder, name))).mode & 0o777).toBe(0o644)
})

test('the broker knows the user of the URL, and each service has a user of its own', async () => {
  const read = async (name: string) => (await readFile(join(secretsFolder, name), 'utf8')).trim()
  const broker = new URL(await read('broker_url'))
  expect((await read('rabbitmq_user.conf')).split('\n')).toEqual([
    `default_user = ${broker.username}`,
    `default_pass = ${broker.password}`,
  ])
  expect(compose.services).toHaveProperty(broker.hostname)
  for (const name of ['notifications', 'dispatcher']) {
    const url = new URL(await read(`${name}_database_url`))
    expect([url.username, url.pathname]).toEqual([name, `/${name}`])
    expect(compose.services).toHaveProperty(url.hostname)
  }
  const { environment = {}, secrets = [], volumes = [] } = compose.services['postgres'] ?? {}
  expect(environment['POSTGRES_PASSWORD_FILE']).toBe(`/run/secrets/${secrets[0]}`)
  const script = volumes.map((one) => one.split(':')).find(([from]) => from?.endsWith('.sh'))
  // The image would read a script that is not executable into its own shell.
  expect((await stat(join(ROOT, script?.[0] ?? ''))).mode & 0o111).toBe(0o111)
})

test('.env.example names what docker-compose.yml asks for, and marks what is needed', async () => {
  const example = await readFile(join(ROOT, '.env.example'), 'utf8')
  const written = [...example.matchAll(/^(#?)([A-Z_]+)=/gm)]
  const asked = [...(await composeText()).matchAll(VARIABLE)]
  expect(sorted(written.map(([, , name = '']) => name))).toEqual(
    sorted(asked.map(([, name = '']) => name)),
  )
  const needed = asked.filter(([, , kind]) => kind === '?').map(([, name = '']) => name)
  expect(sorted(written.filter(([, mark]) => mark === '').map(([, , name = '']) => name))).toEqual(
    sorted(needed),
  )
  for (const name of needed)
    await expect(readCompose({ ...SITE, [name]: '' })).rejects.toThrow(`${name} is not set in .env`)
})
