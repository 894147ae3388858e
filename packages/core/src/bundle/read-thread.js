/**
 * The thread of read-in-thread.ts: reads the files one after the other into shared buffers and hashes them on the way.
 * Plain JavaScript, because a thread is started from a file, also where TypeScript runs from source. It imports nothing
 * of ours for the same reason.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

/** @type {import('./read-in-thread.ts').Task} */
const { files, memory, bufferBytes, free } = workerData
const buffers = memory.byteLength / bufferBytes
/** So much is read and hashed at a time. */
const PIECE = 256 * 1024

let turn = 0
let used = 0
/** @type {import('./read-in-thread.ts').Part[]} */
let parts = []

/** The other side takes what is there; goes on when the next buffer is free. */
function handOver() {
  parentPort?.postMessage({ buffer: turn % buffers, parts })
  Atomics.sub(free, 0, 1)
  while (Atomics.load(free, 0) === 0) Atomics.wait(free, 0, 0)
  turn += 1
  used = 0
  parts = []
}

/** @param {import('./read-in-thread.ts').Task['files'][number]} file */
function readFile({ location, size }) {
  const descriptor = openSync(location, 'r')
  try {
    const hash = createHash('sha1')
    let from = used
    let done = 0
    while (done < size) {
      if (used === bufferBytes) {
        parts.push({ from, to: used, end: undefined })
        handOver()
        from = 0
      }
      const room = Math.min(bufferBytes - used, size - done, PIECE)
      const bytes = Buffer.from(memory, (turn % buffers) * bufferBytes + used, room)
      const count = readSync(descriptor, bytes)
      if (count === 0) break
      hash.update(bytes.subarray(0, count))
      used += count
      done += count
    }
    const { size: now, mtime } = fstatSync(descriptor)
    const end = { read: done, size: now, modified: mtime.getTime(), sha1: hash.digest('hex') }
    parts.push({ from, to: used, end })
  } finally {
    closeSync(descriptor)
  }
}

for (const file of files) {
  readFile(file)
  if (parts.length >= 1000) handOver()
}
parentPort?.postMessage({ buffer: turn % buffers, parts })
