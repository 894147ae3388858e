/**
 * A private PostgreSQL server: free port, temporary folder, an account that is not root. Gone when this process is
 * gone, however it ended: a shell that waits on a pipe from us stops the server and removes the folder.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { type Account, serverAccount } from './server-account.ts'

/** `soft`: sessions are ended, then a checkpoint. `hard`: as in a crash; recovery at the next start. */
export type HaltMode = 'soft' | 'hard'

const SIGNAL = { soft: 'SIGINT', hard: 'SIGQUIT' } as const
const START_LIMIT_MS = 60_000

/**
 * $1 is the folder. A line means that all is well, the end of the pipe that the run is dead. Repeated, because initdb
 * or a server may just be starting.
 */
const GUARD = `read -r line && exit 0
for i in 1 2 3 4 5 6 7 8 9 10; do
  pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
  rm -rf "$1"
  sleep 0.2
done`

export async function startServer(options: { durable: boolean }) {
  const binaries = postgresBinaries()
  const account = serverAccount(['postgres', 'nobody'])
  const folder = mkdtempSync(join(tmpdir(), 'pacifica-pg-'))
  const guard = spawn('sh', ['-c', GUARD, 'guard', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  try {
    if (account) chownSync(folder, account.uid, account.gid)
    const data = join(folder, 'data')
    const form = ['--auth=trust', '--username=postgres', '--no-locale', '--encoding=UTF8']
    execFileSync(join(binaries, 'initdb'), ['--pgdata', data, '--no-sync', ...form], {
      ...account,
      cwd: folder,
      stdio: 'pipe',
    })
    const port = await freePort()
    const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
    const start = () => startPostmaster({ binaries, folder, port, url, account, ...options })
    return powerOf({ url, folder, guard, start, first: await start() })
  } catch (error) {
    guard.stdin?.end()
    throw error
  }
}

function powerOf(server: {
  url: string
  folder: string
  guard: ChildProcess
  start: () => Promise<ChildProcess>
  first: ChildProcess
}) {
  let postmaster: ChildProcess | undefined = server.first

  async function halt(how: HaltMode) {
    const running = postmaster
    postmaster = undefined
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill(SIGNAL[how])
    await ended
  }

  return {
    url: server.url,
    folder: server.folder,
    halt,
    async resume() {
      postmaster ??= await server.start()
    },
    async stop() {
      await halt('hard')
      const ended = once(server.guard, 'exit')
      rmSync(server.folder, { recursive: true, force: true })
      server.guard.stdin?.end('stopped\n')
      await ended
    },
  }
}

async function startPostmaster(server: {
  binaries: string
  folder: string
  port: number
  url: string
  account: Account | undefined
  durable: boolean
}): Promise<ChildProcess> {
  const log = join(server.folder, 'log')
  const output = openSync(log, 'a')
  const settings = {
    port: server.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: server.folder,
    max_connections: 200,
    fsync: server.durable ? 'on' : 'off',
    full_page_writes: server.durable ? 'on' : 'off',
    timezone: 'America/Los_Angeles', // far from UTC, so that a session that forgets to say UTC is found out
  }
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const postmaster = spawn(
    join(server.binaries, 'postgres'),
    ['-D', join(server.folder, 'data'), ...words],
    { ...server.account, cwd: server.folder, detached: true, stdio: ['ignore', output, output] },
  )
  closeSync(output)
  await untilReady(server.url, postmaster, log)
  return postmaster
}

async function untilReady(url: string, postmaster: ChildProcess, log: string) {
  const deadline = Date.now() + START_LIMIT_MS
  while (!(await answers(url))) {
    const ended = postmaster.exitCode !== null || postmaster.signalCode !== null
    if (ended || Date.now() > deadline) {
      postmaster.kill('SIGQUIT')
      throw new Error(`PostgreSQL did not start: ${readFileSync(log, 'utf8').slice(-2000)}`)
    }
    await sleep(25)
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
