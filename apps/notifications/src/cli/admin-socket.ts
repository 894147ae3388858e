/**
 * While a service holds the embedded database nobody else can open it, so the service itself carries out the commands
 * of pacifica-notifications-cmd: over a socket in its data folder, which only its own user may open. A request is
 * `POST /<command>` with the options as JSON; the answer is one JSON line for each piece of output, then one that says
 * how it ended.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { Database, Lifetime, Log } from '@pacifica/platform'
import type { Means } from './event-command.ts'
import { runRemotely } from './event-commands.ts'

/** A socket's path may be no longer: sun_path of Linux, with its end. */
const LONGEST_PATH = 107

export function socketPath(dataDir: string): string {
  return join(dataDir, 'notifications', 'admin.sock')
}

type Line = { readonly out: string } | { readonly done: true } | { readonly error: string }

/** Call it with the lock on the folder held: a socket that is there is left over. */
export async function openAdminSocket(
  needs: { database: Database; life: Lifetime; log: Log } & Means,
  { dataDir }: { dataDir: string },
): Promise<void> {
  const { life, log } = needs
  const path = socketPath(dataDir)
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    log.warn({ path, longest: LONGEST_PATH }, 'admin.path_too_long')
    return
  }
  await rm(path, { force: true })
  const server = createServer((message, reply) => {
    answer(needs, message, reply).catch((err) => {
      log.error({ err }, 'admin.failed')
      reply.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  await chmod(path, 0o600)
  life.onClose('admin socket', () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    return closed
  })
}

async function answer(
  means: { database: Database } & Means,
  message: IncomingMessage,
  reply: ServerResponse,
): Promise<void> {
  const name = message.url?.slice(1) ?? ''
  const output = runRemotely(means.database, name, await json(message), means)
  reply.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' })
  const write = (line: Line) => reply.write(`${JSON.stringify(line)}\n`)
  try {
    if (output === undefined) write({ error: `this version knows no command ${name}` })
    else {
      for await (const out of output) {
        if (!write({ out })) await drained(reply)
      }
      write({ done: true })
    }
  } catch (error) {
    write({ error: error instanceof Error ? error.message : String(error) })
  }
  reply.end()
}

/** Also when nobody reads any more: the next write then fails quietly. */
function drained(reply: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    reply.once('drain', resolve)
    reply.once('close', resolve)
  })
}

/** The service did not carry out a command, or could not be asked. */
export class AdminSocketError extends Error {
  readonly code = 'ADMIN_SOCKET'
}

/** The output of a command that the running service carries out. @throws AdminSocketError */
export async function* askService(
  dataDir: string,
  name: string,
  options: unknown,
): AsyncGenerator<string> {
  const reply = await send(socketPath(dataDir), name, JSON.stringify(options))
  let done = false
  for await (const text of linesOf(reply)) {
    const line = JSON.parse(text) as Line
    if ('error' in line) throw new AdminSocketError(line.error)
    if ('done' in line) done = true
    else yield line.out
  }
  if (!done) throw new AdminSocketError('The service ended in the middle of it')
}

/** By line feeds alone: readline also takes U+2028, which a body may hold. */
async function* linesOf(reply: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of reply.setEncoding('utf8')) {
    rest += piece
    if (!piece.includes('\n')) continue
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

function send(path: string, name: string, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: `/${name}`, method: 'POST' }, resolve)
    asked.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new AdminSocketError(
          `A service runs on this data folder, and cannot be asked at ${path} (${cause.code}): run the command as the service's user, or stop the service first`,
          { cause },
        ),
      ),
    )
    asked.end(body)
  })
}
