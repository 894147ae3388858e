/**
 * The services of docker-compose.yml as plain processes, from the files of the image, on the harness' PostgreSQL and
 * RabbitMQ: with their own commands, environment, secrets and health checks. What a container would have for itself is
 * given otherwise: each process has a port of its own, /data and /run/secrets are folders, and the hosts `postgres` and
 * `rabbitmq` are the harness' servers.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ComposeFile, type ComposeService, programOf, readCompose } from './compose-file.ts'
import { freePort } from './free-port.ts'
import type { Image } from './image.ts'
import { type ServiceProcess, startService } from './service-process.ts'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

export interface StackNeeds {
  readonly image: Image
  /** A server that is ours: users and databases are made on it. */
  readonly postgres: { readonly url: string; readonly programs: string }
  readonly brokerUrl: string
  /** What a site says in .env. */
  readonly env: Readonly<Record<string, string>>
}

export interface StackProcess {
  readonly service: string
  readonly url: string
  readonly process: ServiceProcess
  /** The health check of docker-compose.yml: its exit code. */
  health(): Promise<number>
}

export interface Stack {
  readonly compose: ComposeFile
  /** What stands in the file of a secret. */
  secret(name: string): Promise<string>
  /** Runs a service that ends by itself: its exit code and what it wrote. */
  runStep(service: string): Promise<{ code: number | null; output: string }>
  /** Starts every replica of a service; `env` is what docker-compose.override.yml may add. */
  start(service: string, env?: Readonly<Record<string, string>>): Promise<StackProcess[]>
  close(): Promise<void>
}

export async function openStack(needs: StackNeeds): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-stack-'))
  const secrets = join(folder, 'secrets')
  const compose = await prepare(needs, secrets).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  const running: ServiceProcess[] = []
  const launch = async (name: string, replica: number, more: Readonly<Record<string, string>>) => {
    const service = serviceOf(compose, name)
    const port = await freePort()
    const { container, app } = needs.image
    const data = join(folder, 'data', volumeOf(service) ?? `${name}-${replica}`)
    await mkdir(data, { recursive: true })
    const env = {
      ...container.env,
      ...fromCompose(service, secrets),
      ...more,
      // Beyond what compose says: containers have these for themselves.
      DATA_DIR: data,
      [portVariable(service)]: String(port),
      HOME: join(folder, 'nobody'),
    }
    const { nodeArgs, entry, args } = programOf(service.command ?? container.command)
    const process = startService(join(app, entry), env, args, { cwd: app, nodeArgs })
    running.push(process)
    const words = (service.healthcheck?.test ?? ['CMD', ...container.healthcheck]).slice(1)
    const health = words.map((word) => word.replace(/:\d+\//, `:${port}/`))
    const url = `http://127.0.0.1:${port}`
    return { service: name, url, process, health: () => exitCode(health, app) }
  }
  return {
    compose,
    secret: async (name) => (await readFile(join(secrets, name), 'utf8')).trim(),
    async runStep(name) {
      const { process } = await launch(name, 0, {})
      return { code: await process.ended(), output: process.output() }
    },
    async start(name, env = {}) {
      const started: StackProcess[] = []
      const { deploy } = serviceOf(compose, name)
      for (let replica = 0; replica < (deploy?.replicas ?? 1); replica += 1)
        started.push(await launch(name, replica, env))
      return started
    },
    async close() {
      await Promise.all(running.map((process) => process.kill('SIGKILL')))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function prepare(needs: StackNeeds, secrets: string): Promise<ComposeFile> {
  await run('sh', [join(ROOT, 'deploy/make-secrets.sh'), secrets])
  await makeDatabases(needs, secrets)
  await pointAtHarness(needs, secrets)
  return readCompose({ ...needs.env, SECRETS: secrets })
}

function serviceOf({ services }: ComposeFile, name: string): ComposeService {
  const service = services[name]
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return service
}

/** As the postgres image does when its volume is empty. */
async function makeDatabases({ postgres }: StackNeeds, secrets: string): Promise<void> {
  const { hostname, port, username } = new URL(postgres.url)
  const env = {
    ...{ PATH: `${postgres.programs}:${process.env['PATH']}`, SECRETS_FOLDER: secrets },
    ...{ PGHOST: hostname, PGPORT: port, POSTGRES_USER: username },
  }
  await run(join(ROOT, 'deploy/postgres/databases.sh'), [], { env })
}

/** The hosts of compose's networks become those of the harness. */
async function pointAtHarness(needs: StackNeeds, secrets: string): Promise<void> {
  const { host } = new URL(needs.postgres.url)
  for (const name of await readdir(secrets)) {
    const path = join(secrets, name)
    const text = await readFile(path, 'utf8')
    const pointed = text
      .replace('@postgres:5432/', `@${host}/`)
      .replace(/^amqp:\/\/\S+@rabbitmq:5672\S*/, needs.brokerUrl)
    await rm(path)
    // Ours, so the key must be ours alone, as on any machine.
    await writeFile(path, pointed, { mode: 0o600 })
  }
}

function fromCompose(service: ComposeService, secrets: string): Record<string, string> {
  const mounted = (service.secrets ?? []).map((one) => (typeof one === 'string' ? one : one.source))
  const entries = Object.entries(service.environment ?? {}).map(([name, value]) => {
    const [, secret] = /^\/run\/secrets\/(.+)$/.exec(value) ?? []
    if (secret === undefined) return [name, value] as const
    // A secret that the service is not given is not there.
    const path = mounted.includes(secret) ? join(secrets, secret) : value
    return [name, path] as const
  })
  return Object.fromEntries(entries)
}

function volumeOf({ volumes = [] }: ComposeService): string | undefined {
  return volumes.map((one) => one.split(':')).find(([, target]) => target === '/data')?.[0]
}

function portVariable({ command = [] }: ComposeService): string {
  const { entry } = programOf(command)
  return entry.startsWith('apps/dispatcher/') ? 'DISPATCHER_PORT' : 'NOTIFICATIONS_PORT'
}

function exitCode([program = '', ...args]: readonly string[], cwd: string): Promise<number> {
  const path = program === 'node' ? process.execPath : program
  return run(path, args, { cwd }).then(
    () => 0,
    (error: { code?: unknown }) => (typeof error.code === 'number' ? error.code : -1),
  )
}
