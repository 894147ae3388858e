/**
 * Free ports, each handed out once. A socket for datagrams at the same number is the mark that it is taken: the kernel
 * gives it to one process at a time, on the whole machine, and takes it back however that process ends.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems give to outgoing connections (Linux: from 32768): a server that is away for a moment
 * finds its port free when it comes back, and nobody who knocks meanwhile connects to himself.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000]

/** A port at which nobody listens, and that nobody else is given while this process runs. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (await takePort(port)) return port
  }
}

/** False when it was given to somebody before, or somebody listens there. */
export async function takePort(port: number): Promise<boolean> {
  const mark = createSocket('udp4')
  try {
    mark.bind({ port, address: '127.0.0.1', exclusive: true })
    await once(mark, 'listening')
  } catch {
    return false
  }
  mark.unref()
  const free = await isFree(port)
  if (!free) mark.close()
  return free
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
