/**
 * A thread of the child's: ends the child's process group when the supervisor is gone, however it went. A thread,
 * because the main one may be busy for hours; a pipe, because the kernel closes it for a supervisor that was killed.
 */
import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import { endTree } from '../process-tree.ts'

const { descriptor, mark } = workerData as { descriptor: number; mark: string }

const link = new Socket({ fd: descriptor, readable: true, writable: false })
link.on('error', end)
link.on('close', end)
link.resume()

function end(): void {
  try {
    endTree(process.pid, mark)
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
}
