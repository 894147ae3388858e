/**
 * A private RabbitMQ node: free ports, an epmd of its own, a temporary folder, an account that is not root. Gone when
 * this process is gone, however it ended.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { guardFolder, releaseFolder } from './guard.ts'
import { rabbitmqPrograms } from './rabbitmq-programs.ts'
import { type Account, serverAccount } from './server-account.ts'

/** `soft`: clients are told, then everything is closed. `hard`: as in a crash. */
export type HaltMode = 'soft' | 'hard'

const SIGNAL = { soft: 'SIGTERM', hard: 'SIGKILL' } as const
const START_LIMIT_MS = 120_000

/** $1 is the file for the pid, known before the program begins; each program leads a process group. */
const WITH_PID = 'echo $$ > "$1"; shift; exec "$@"'

interface Place {
  readonly folder: string
  readonly programs: string
  readonly account: Account | undefined
  readonly port: number
  readonly env: Readonly<Record<string, string>>
}

export async function startNode() {
  const programs = rabbitmqPrograms()
  const account = serverAccount(['rabbitmq', 'nobody'])
  const folder = mkdtempSync(join(tmpdir(), 'pacifica-mq-'))
  const guard = guardFolder(folder)
  try {
    if (account) chownSync(folder, account.uid, account.gid)
    const port = await freePort()
    const place = { folder, programs, account, port, env: await environment(folder, port) }
    const epmd = run(place, 'epmd', ['epmd', '-port', place.env['ERL_EPMD_PORT'] ?? ''])
    return powerOf(place, { guard, epmd, node: await startBroker(place) })
  } catch (error) {
    guard.stdin?.end()
    throw error
  }
}

async function environment(folder: string, port: number) {
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp.default = 127.0.0.1:${port}
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 8000000
log.file.level = info
`,
    { mode: 0o644 },
  )
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n', { mode: 0o644 })
  return {
    PATH: process.env['PATH'] ?? ['/usr/bin', '/bin'].join(delimiter),
    LANG: 'C.UTF-8',
    HOME: folder,
    ERL_EPMD_PORT: String(await freePort()),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `${basename(folder)}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_PID_FILE: join(folder, 'own-pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
    RUNNING_UNDER_SYSTEMD: 'true', // the script becomes the node, so that our signals reach it
  }
}

function powerOf(
  place: Place,
  first: { guard: ChildProcess; epmd: ChildProcess; node: ChildProcess },
) {
  let node: ChildProcess | undefined = first.node

  async function halt(how: HaltMode) {
    const running = node
    node = undefined
    await end(running, SIGNAL[how])
  }

  return {
    url: `amqp://127.0.0.1:${place.port}`,
    folder: place.folder,
    /** The broker's own command line: its standard output. */
    ctl: (...words: string[]) => ctl(place, words),
    halt,
    async resume() {
      node ??= await startBroker(place)
    },
    async stop() {
      await halt('hard')
      await end(first.epmd, 'SIGKILL')
      await releaseFolder(first.guard, place.folder)
    },
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function startBroker(place: Place): Promise<ChildProcess> {
  const node = run(place, 'node', [join(place.programs, 'rabbitmq-server')])
  const deadline = Date.now() + START_LIMIT_MS
  while (!(await speaksAmqp(place.port))) {
    const ended = node.exitCode !== null || node.signalCode !== null
    if (ended || Date.now() > deadline) {
      node.kill('SIGKILL')
      const said = readFileSync(join(place.folder, 'node.out'), 'utf8').slice(-2000)
      throw new Error(`RabbitMQ did not start: ${said}`)
    }
    await sleep(100)
  }
  return node
}

function run(place: Place, name: string, command: string[]): ChildProcess {
  const output = openSync(join(place.folder, `${name}.out`), 'a')
  const pidFile = join(place.folder, `${name}.pid`)
  const child = spawn('sh', ['-c', WITH_PID, 'sh', pidFile, ...command], {
    ...place.account,
    cwd: place.folder,
    env: place.env,
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  return child
}

async function ctl(place: Place, words: string[]): Promise<string> {
  const { account, env, folder, programs } = place
  const { stdout } = await promisify(execFile)(join(programs, 'rabbitmqctl'), words, {
    ...account,
    env,
    cwd: folder,
    timeout: 120_000,
  })
  return stdout
}

function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\0\0\x09\x01'))
    socket.setTimeout(5_000, () => socket.destroy())
    socket.once('data', () => resolve(true))
    socket.once('data', () => socket.destroy())
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
